//! Whether a list of cipher suites can be used with an ECDSA certificate:
//! <https://docs.openssl.org/master/man1/openssl-ciphers/#cipher-list-format>.

/// What in `A+B` leaves no suite with ECDSA.
const WITHOUT_ECDSA: [&str; 21] = [
    "RSA", "aRSA", "kRSA", "DSS", "aDSS", "DH", "DHE", "EDH", "kDHE", "kEDH", "ADH", "AECDH", "aNULL", "PSK", "kPSK",
    "aPSK", "SRP", "aSRP", "kSRP", "NULL", "eNULL",
];
/// What takes all suites with ECDSA out.
const ALL_OF_ECDSA: [&str; 7] = ["ECDSA", "aECDSA", "ECDHE", "EECDH", "kECDHE", "kEECDH", "ECDH"];

/// Whether every suite that a list holds, but for those of TLS 1.3, needs an RSA certificate.
pub(in crate::world) fn need_rsa(list: &str) -> bool {
    let mut ecdsa = false;
    let mut any = false;
    for item in list.split([':', ',', ' ']).filter(|item| !item.is_empty()) {
        match item.strip_prefix(['!', '-']) {
            Some(removed) if ALL_OF_ECDSA.contains(&removed) => match item.starts_with('!') {
                // Not to be brought back.
                true => return true,
                false => ecdsa = false,
            },
            Some(_) => {}
            None if item.starts_with(['+', '@']) || is_of_tls13(item) => {}
            None => {
                any = true;
                ecdsa |= can_be_ecdsa(item);
            }
        }
    }
    any && !ecdsa
}

/// Whether there is a suite with ECDSA in what a word means: a suite, a group of suites, or what several groups share.
fn can_be_ecdsa(item: &str) -> bool {
    let is_suite = item.contains('-') || item.starts_with("TLS_");
    match is_suite {
        true => item.contains("ECDSA"),
        false => item.split('+').all(|group| !WITHOUT_ECDSA.contains(&group)),
    }
}

/// The suites of TLS 1.3 say nothing of certificates, and are not chosen by this list.
fn is_of_tls13(item: &str) -> bool {
    ["TLS_AES_", "TLS_CHACHA20_"].iter().any(|prefix| item.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_ecdsa_needs_rsa() {
        for list in [
            "ECDHE-RSA-AES128-GCM-SHA256",
            "ECDHE-RSA-AES256-GCM-SHA512:DHE-RSA-AES256-GCM-SHA512:AES256-SHA",
            "HIGH:!aECDSA",
            "HIGH:!aNULL:!ECDSA",
            "EECDH+aRSA+AESGCM:EDH+aRSA",
            "RSA+AES",
            "HIGH:-ECDHE",
            "TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256",
        ] {
            assert!(need_rsa(list), "{list}");
        }
    }

    #[test]
    fn a_list_with_ecdsa_does_not() {
        for list in [
            "HIGH:!aNULL:!MD5",
            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
            "EECDH+AESGCM:EDH+AESGCM",
            "EECDH+ECDSA+AESGCM:EECDH+aRSA+AESGCM",
            "DEFAULT@SECLEVEL=1",
            "PROFILE=SYSTEM",
            "TLS_AES_128_GCM_SHA256",
            "@SECLEVEL=2:kEECDH:!aNULL",
            "",
        ] {
            assert!(!need_rsa(list), "{list}");
        }
    }
}
