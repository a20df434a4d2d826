//! A part of a run over many deployments.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The part `number` of `of`, counted from 1, as in `--shard 2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Which part.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

/// Words that name no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a shard is K/N with K from 1 to N, as in 2/4")]
pub struct WrongShard;

impl Shard {
    /// The places of its share in a list of so many. What lies side by side stays together, shares differ by one at most,
    /// and all of them in their order are the whole list.
    pub fn share(self, all: usize) -> Range<usize> {
        let begin = |number: usize| number * all / self.of;
        begin(self.number - 1)..begin(self.number)
    }
}

impl FromStr for Shard {
    type Err = WrongShard;

    fn from_str(text: &str) -> Result<Self, WrongShard> {
        let (number, of) = text.split_once('/').ok_or(WrongShard)?;
        let whole = |text: &str| text.parse::<u32>().map_err(|_| WrongShard);
        let (number, of) = (whole(number)? as usize, whole(of)? as usize);
        if (1..=of).contains(&number) { Ok(Self { number, of }) } else { Err(WrongShard) }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_make_the_whole_and_differ_by_one_at_most() {
        for (all, of) in [(0, 1), (1, 3), (7, 3), (1000, 4), (10, 10), (3, 8)] {
            let shares: Vec<Range<usize>> = (1..=of).map(|number| Shard { number, of }.share(all)).collect();
            let joined: Vec<usize> = shares.iter().cloned().flatten().collect();
            assert_eq!(joined, (0..all).collect::<Vec<_>>(), "{all} in {of}");
            let (least, most) = (shares.iter().map(Range::len).min(), shares.iter().map(Range::len).max());
            assert!(most.unwrap() - least.unwrap() <= 1, "{all} in {of}");
        }
    }

    #[test]
    fn a_shard_is_counted_from_one() {
        assert_eq!("2/4".parse(), Ok(Shard { number: 2, of: 4 }));
        for wrong in ["0/4", "5/4", "1/0", "1", "a/b", "-1/4", "1/2/3", ""] {
            assert_eq!(wrong.parse::<Shard>(), Err(WrongShard), "{wrong}");
        }
    }
}
