//! The smallest databases of places that modules load: they know no address.

/// GeoIP legacy: one node that leads to no country, and the mark of a database of countries.
pub(super) fn country() -> Vec<u8> {
    // libGeoIP counts countries from 16776960 on: that one is the unknown.
    const NOWHERE: [u8; 3] = [0x00, 0xff, 0xff];
    [&NOWHERE[..], &NOWHERE, &[0xff, 0xff, 0xff, 1]].concat()
}

/// GeoIP legacy: one node that leads nowhere, the mark of a database of cities, and how many nodes there are.
pub(super) fn city() -> Vec<u8> {
    const ONE: [u8; 3] = [1, 0, 0];
    [&ONE[..], &ONE, &[0xff, 0xff, 0xff, 2], &ONE].concat()
}

/// MaxMind DB: one node that leads nowhere, and what has to be said of a database:
/// <https://maxmind.github.io/MaxMind-DB/>.
pub(super) fn mmdb() -> Vec<u8> {
    const TREE: [u8; 6] = [0, 0, 1, 0, 0, 1];
    const SEPARATOR: [u8; 16] = [0; 16];
    [&TREE[..], &SEPARATOR, b"\xab\xcd\xefMaxMind.com", &metadata()].concat()
}

fn metadata() -> Vec<u8> {
    const UINT16: u8 = 5 << 5;
    const UINT32: u8 = 6 << 5;
    const MAP: u8 = 7 << 5;
    const EXTENDED_UINT64: [u8; 2] = [1, 2];
    const EXTENDED_ARRAY: [u8; 2] = [0, 4];
    let entries = [
        ("binary_format_major_version", vec![UINT16 | 1, 2]),
        ("binary_format_minor_version", vec![UINT16]),
        // libmaxminddb refuses a database without a date.
        ("build_epoch", [&EXTENDED_UINT64[..], &[1]].concat()),
        ("database_type", text("proxyproof-empty")),
        ("description", vec![MAP]),
        ("ip_version", vec![UINT16 | 1, 6]),
        ("languages", EXTENDED_ARRAY.into()),
        ("node_count", vec![UINT32 | 1, 1]),
        ("record_size", vec![UINT16 | 1, 24]),
    ];
    let mut metadata = vec![MAP | 9];
    for (name, value) in entries {
        metadata.extend(text(name));
        metadata.extend(value);
    }
    metadata
}

/// A text of less than 29 bytes.
fn text(text: &str) -> Vec<u8> {
    const UTF8: u8 = 2 << 5;
    let length = u8::try_from(text.len()).unwrap_or_default();
    [&[UTF8 | length], text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_made_of_what_its_format_wants() {
        let mmdb = mmdb();
        let marker = b"\xab\xcd\xefMaxMind.com";
        let at = mmdb.windows(marker.len()).position(|window| window == marker).unwrap();
        // The tree of one node, the separator, and then the metadata: a map of nine entries.
        assert_eq!((at, mmdb[at + marker.len()]), (22, 0xe9));
        assert_eq!(country()[6..9], [0xff; 3]);
        assert_eq!(city()[6..9], [0xff; 3]);
    }
}
