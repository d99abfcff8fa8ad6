#![no_main]
//! What a host is told about its people: envelopes as they come over the network, documents by whoever has the key, and the
//! machine's own files. Nothing that is followed is beyond a limit. The first byte says which of them the rest is.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portreeve_host_policy::{Envelope, Expect, Local, NAMESPACE, check, verify};
use portreeve_ssh_cert::Authority;
use portreeve_ssh_cert::authority::KeyType;

static KEY: LazyLock<Authority> = LazyLock::new(|| {
    let document = Authority::generate(KeyType::Ed25519).expect("random numbers");
    Authority::from_pkcs8(KeyType::Ed25519, &document).expect("a key")
});

const EXPECT: Expect<'_> = Expect {
    team: "team-1",
    host_id: "host-1",
    above_or_same: 1,
    seen: None,
};

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    match (which, std::str::from_utf8(bytes)) {
        (b'e', _) => envelope(bytes),
        (b'd', Ok(text)) => document(text),
        (b'l', Ok(text)) => local(text),
        _ => {}
    }
});

fn envelope(bytes: &[u8]) {
    let trusted = [KEY.public_openssh("")];
    assert!(verify(bytes, &trusted, &EXPECT).is_err(), "nobody has signed it");
}

fn document(text: &str) {
    let signature = KEY.sign_file(NAMESPACE, text.as_bytes()).expect("a signature");
    let envelope = Envelope {
        document: text.to_owned(),
        signature,
        successors: Vec::new(),
    };
    let trusted = [KEY.public_openssh("")];
    let Ok(verified) = verify(&envelope.to_bytes(), &trusted, &EXPECT) else {
        return;
    };
    let passwd = "root:x:0:0::/root:/bin/sh\nwarden:x:1000:1000::/home/warden:/bin/sh\n";
    let local = Local::parse(passwd, "root:x:0:\ndocker:x:998:\n", "/bin/sh\n");
    let checked = check(&verified, &local);
    let rules = &verified.document().rules;
    for accepted in &checked.accept {
        let account = accepted.account;
        assert!(account.uid >= 1_000 && account.gid >= 1_000);
        assert!((rules.ids.first..=rules.ids.last).contains(&account.uid));
        assert!(local.account(&account.name).is_none() && !local.has_uid(account.uid));
        assert!(account.home.starts_with(&rules.home_prefix) && !account.home.contains("/.."));
        let texts = [&account.id, &account.name, &account.full_name, &account.home];
        assert!(texts.iter().all(|text| !text.contains(['\n', ':', '\0'])));
        assert!(account.access.is_some() || accepted.groups.is_empty());
    }
    assert!(checked.shared.iter().all(|shared| shared.account == "warden"));
}

fn local(text: &str) {
    let (passwd, group) = text.split_once('\0').unwrap_or((text, text));
    let _ = Local::parse(passwd, group, text).with_subordinate(passwd, group);
}
