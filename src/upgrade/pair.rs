//! Two things that are done beside each other.

use tokio::task::JoinSet;

use crate::error::{Error, Result};
use crate::runtime::unfinished;

/// Two things that are being done, each by a task of its own.
pub(super) struct Pair<T> {
    tasks: JoinSet<(usize, Result<T>)>,
}

impl<T: Send + 'static> Pair<T> {
    /// Begins with both.
    pub(super) fn begin<F>(both: [F; 2]) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        for (index, one) in both.into_iter().enumerate() {
            tasks.spawn(async move { (index, one.await) });
        }
        Self { tasks }
    }

    /// What came of both, in their order. The first that fails ends the other.
    pub(super) async fn end(mut self) -> Result<[T; 2]> {
        let (mut first, mut second) = (None, None);
        while let Some(ended) = self.tasks.join_next().await {
            let (index, one) = ended.map_err(unfinished)?;
            match one {
                Ok(one) if index == 0 => first = Some(one),
                Ok(one) => second = Some(one),
                Err(error) => {
                    self.stop().await;
                    return Err(error);
                }
            }
        }
        let (first, second) = first.zip(second).ok_or(Error::Bug)?;
        Ok([first, second])
    }

    /// Ends both, whatever they are at. What they hold is gone when this returns.
    async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;

    use super::*;

    #[tokio::test]
    async fn both_come_in_their_order() {
        let (tell, told) = tokio::sync::oneshot::channel();
        let last: BoxFuture<'static, Result<u8>> = async { told.await.map_err(|_| Error::Bug) }.boxed();
        let first = async {
            let _ = tell.send(1);
            Ok(2)
        };
        assert_eq!(Pair::begin([last, first.boxed()]).end().await.expect("both"), [1, 2]);
    }

    #[tokio::test]
    async fn one_that_fails_ends_the_other() {
        let held = Arc::new(());
        let other = Arc::clone(&held);
        let waits: BoxFuture<'static, Result<()>> = async move {
            let _held = other;
            std::future::pending().await
        }
        .boxed();
        assert!(Pair::begin([waits, async { Err(Error::Bug) }.boxed()]).end().await.is_err());
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
