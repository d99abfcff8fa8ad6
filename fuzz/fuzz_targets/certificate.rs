#![no_main]
//! What comes with a request for a certificate, and what a host is shown: keys, certificates and revocation lists. What is
//! read has the very bytes that came, so that nothing is signed or checked but what was seen. The first byte says which
//! of them the rest is.

use libfuzzer_sys::fuzz_target;
use portreeve_ssh_cert::{Krl, Signed, SubjectKey};

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    match which {
        b'k' => key(bytes),
        b'l' => line(bytes),
        b'c' => certificate(bytes),
        b'r' => list(bytes),
        _ => {}
    }
});

fn key(blob: &[u8]) {
    if let Ok(key) = SubjectKey::from_blob(blob) {
        assert_eq!(key.blob(), blob);
        let _ = (key.fingerprint(), key.algorithm());
    }
}

fn line(text: &[u8]) {
    if let Ok(text) = std::str::from_utf8(text)
        && let Ok(key) = SubjectKey::from_openssh(text)
    {
        key_again(&key);
    }
}

fn key_again(key: &SubjectKey) {
    let again = SubjectKey::from_blob(&key.blob()).expect("a key that was read");
    assert_eq!(again.fingerprint(), key.fingerprint());
}

fn certificate(blob: &[u8]) {
    let Ok(signed) = Signed::from_blob(blob) else {
        return;
    };
    assert_eq!(signed.blob(), blob);
    assert!(signed.check(&[]).is_err(), "nobody is trusted");
    if let Ok(key) = signed.key() {
        key_again(&key);
    }
    let _ = (signed.key_id(), signed.principals(), signed.valid());
    let _ = (signed.serial(), signed.openssh(), signed.signer());
}

fn list(bytes: &[u8]) {
    if let Ok(list) = Krl::from_bytes(bytes) {
        let written = list.to_bytes();
        let again = Krl::from_bytes(&written).expect("what is written can be read");
        assert_eq!(again.to_bytes(), written);
    }
}
