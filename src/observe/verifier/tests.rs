use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::{CurlVerifier, ServerCertVerifier};

type Ca = CertifiedIssuer<'static, KeyPair>;

fn ca(name: &str, issuer: Option<&Ca>) -> Ca {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    match issuer {
        Some(issuer) => CertifiedIssuer::signed_by(params, key, issuer).unwrap(),
        None => CertifiedIssuer::self_signed(params, key).unwrap(),
    }
}

fn leaf(name: &str, expires: i32, issuer: &Ca) -> CertificateDer<'static> {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_after = date_time_ymd(expires, 1, 1);
    params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap().der().clone()
}

fn verify(root: &Ca, leaf: &CertificateDer<'_>, sent: &[CertificateDer<'_>]) -> Result<(), String> {
    let name = ServerName::try_from("a.example.com").unwrap();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_000));
    let verifier = CurlVerifier::trusting(&crate::observe::certificates(&root.pem())).unwrap();
    verifier.verify_server_cert(leaf, sent, &name, &[], now).map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn a_chain_is_followed_through_what_the_server_sends() {
    let root = ca("root", None);
    let intermediate = ca("intermediate", Some(&root));
    let leaf = leaf("*.example.com", 2040, &intermediate);
    assert_eq!(verify(&root, &leaf, &[intermediate.der().clone()]), Ok(()));
    let message = verify(&root, &leaf, &[]).unwrap_err();
    assert!(message.contains("is signed by CN=intermediate, and no valid one of that is sent or trusted"), "{message}");
}

#[test]
fn a_wrong_name_and_a_past_date_are_said() {
    let root = ca("root", None);
    let message = verify(&root, &leaf("b.example.com", 2040, &root), &[]).unwrap_err();
    assert!(message.contains("is not for a.example.com but for b.example.com"), "{message}");
    let message = verify(&root, &leaf("a.example.com", 2020, &root), &[]).unwrap_err();
    assert!(message.contains("Jan  1 00:00:00 2020"), "{message}");
}

#[test]
fn a_certificate_that_signed_itself_is_accepted_where_it_is_trusted() {
    let mut params = CertificateParams::new(["a.example.com".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    assert_eq!(verify(&own, own.der(), &[]), Ok(()));
    let message = verify(&ca("another", None), own.der(), &[]).unwrap_err();
    assert!(message.contains("is signed by itself, and clients do not trust it"), "{message}");
}
