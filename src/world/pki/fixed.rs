//! What needs no secret.

/// The group ffdhe2048 of RFC 7919, appendix A.1, as PKCS #3 parameters with the generator 2:
/// <https://www.rfc-editor.org/rfc/rfc7919#appendix-A.1>.
pub(in crate::world) const DHPARAM: &str = "-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
";

/// An OCSP response of RFC 6960 that says `tryLater`: the one that needs no responder and claims nothing.
pub(in crate::world) const OCSP_RESPONSE: [u8; 5] = [0x30, 0x03, 0x0a, 0x01, 0x03];
