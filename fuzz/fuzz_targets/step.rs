#![no_main]
//! What the step client sends: tokens, durations, requests, keys. The first byte says which of them the rest is.

use libfuzzer_sys::fuzz_target;
use portreeve_step::request::{Bastion, CheckHost, Config, Revoke, Sign, SshRenew, SshSign};
use portreeve_step::{Audience, Endpoint, Expected, Moment, PublicKey, Token, duration_text, jwe};
use portreeve_step::{provisioner, template};

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    match (which, std::str::from_utf8(bytes)) {
        (b't', Ok(text)) => token(text),
        (b'd', Ok(text)) => moment(text),
        (b'r', _) => requests(bytes),
        (b'k', _) => keys(bytes),
        // A password's hash takes its time: only what is refused before it is looked at.
        (b'j', Ok(text)) if !text.contains("p2c") => drop(jwe::decrypt(text, "")),
        (b'p', Ok(text)) => drop(provisioner::page(&[], text, bytes.len())),
        _ => {}
    }
});

fn token(text: &str) {
    let Ok(token) = Token::parse(text) else {
        return;
    };
    let hosts = ["ca.example.com".to_owned()];
    let expected = Expected {
        issuer: &token.claims.iss,
        audience: Audience {
            hosts: &hosts,
            endpoint: Endpoint::Sign,
        },
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let key = [&11_u32.to_be_bytes()[..], b"ssh-ed25519", &32_u32.to_be_bytes(), &[7; 32]].concat();
    let key = PublicKey::from_ssh(&key).expect("a key");
    assert!(token.verify(&key, &expected).is_err(), "nobody has signed it");
    let _ = (token.fragment(), token.identity(), token.expires(), token.certificates());
}

fn moment(text: &str) {
    if let Some(Moment::In(duration)) = Moment::parse(text) {
        let again = Moment::parse(&duration_text(duration));
        assert_eq!(again, Some(Moment::In(duration)));
        let _ = Moment::In(duration).at(jiff::Timestamp::UNIX_EPOCH);
    }
}

fn requests(bytes: &[u8]) {
    let _ = serde_json::from_slice::<SshSign>(bytes);
    let _ = serde_json::from_slice::<SshRenew>(bytes);
    let _ = serde_json::from_slice::<Revoke>(bytes);
    let _ = serde_json::from_slice::<CheckHost>(bytes);
    let _ = serde_json::from_slice::<Bastion>(bytes);
    let _ = serde_json::from_slice::<Sign>(bytes);
    if let Ok(config) = serde_json::from_slice::<Config>(bytes) {
        let _ = template::user(&config.data, &[bytes.to_vec()], Some("a 'b' %c"));
        let _ = template::host(&config.data, &[bytes.to_vec()]);
    }
}

fn keys(bytes: &[u8]) {
    let _ = PublicKey::from_ssh(bytes);
    let _ = PublicKey::from_certificate(bytes);
    if let Ok(jwk) = serde_json::from_slice(bytes) {
        let _ = PublicKey::from_jwk(&jwk);
    }
}
