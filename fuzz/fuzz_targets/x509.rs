#![no_main]
//! X.509 from strangers: requests for certificates, certificates, and both as PEM. What is read has a signature, or can be
//! read again; nothing that is too large is looked at. The first byte says which of them the rest is.

use libfuzzer_sys::fuzz_target;
use portreeve_x509::chain::{self, Details};
use portreeve_x509::{Name, Request, Usage, request};

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    match which {
        b'r' => wanted(bytes),
        b'c' => certificate(bytes),
        b'p' => text(bytes),
        b'n' => name(bytes),
        _ => {}
    }
});

fn wanted(der: &[u8]) {
    let Ok(request) = Request::from_der(der) else {
        return;
    };
    assert!(der.len() <= request::MAX_BYTES);
    let key = &request.public_key;
    assert!(
        der.windows(key.len()).any(|part| part == key),
        "its key is in it"
    );
}

fn certificate(der: &[u8]) {
    let Ok(details) = Details::read(der) else {
        return;
    };
    assert!(der.len() <= chain::MAX_BYTES);
    assert!(
        details
            .serial
            .chars()
            .all(|digit| digit.is_ascii_hexdigit())
    );
    let pem = chain::to_pem(der);
    assert_eq!(chain::from_pem(&pem).ok(), Some(vec![der.to_vec()]));
    let alone = [der.to_vec()];
    let now = details.valid_after;
    assert!(
        chain::verify(&alone, &[], Usage::Both, now).is_err(),
        "nobody is trusted"
    );
    // Itself as a root: whatever comes of it, it is no panic.
    let _ = chain::verify(&alone, &alone, Usage::Both, now);
}

fn text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = Request::from_pem(text);
    if let Ok(found) = chain::from_pem(text) {
        let written: String = found.iter().map(|der| chain::to_pem(der)).collect();
        assert_eq!(chain::from_pem(&written).ok(), Some(found));
    }
}

fn name(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let name = Name::of(text);
        assert_eq!(Name::of(&name.to_string()), name);
    }
}
