//! Revocation lists, ours read by `ssh-keygen -Q` and its own by us.

use portreeve_ssh_cert::Krl;
use portreeve_ssh_cert::authority::KeyType;
use portreeve_ssh_cert::policy::Kind;

use super::openssh::{Keys, authority, certificate, keygen, named};

/// What OpenSSH says of each certificate, asked with our list.
fn revoked(keys: &Keys, krl: &Krl, names: &[String]) -> Vec<bool> {
    let list = keys.write("krl", krl.to_bytes());
    let ask = |name: &String| {
        let output = keygen(&[
            "-Q",
            "-f",
            list.to_str().unwrap(),
            keys.path(name).to_str().unwrap(),
        ]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        match output.status.code() {
            Some(0) if said.contains("ok") => false,
            Some(1) if said.contains("REVOKED") => true,
            code => panic!(
                "{name}: {code:?} {said} {}",
                String::from_utf8_lossy(&output.stderr)
            ),
        }
    };
    names.iter().map(ask).collect()
}

#[test]
fn openssh_and_we_agree_on_what_is_revoked() {
    let keys = Keys::new();
    let key = keys.make("ada", &["-t", "ed25519"]);
    let (ours, other) = (authority(KeyType::Ed25519), authority(KeyType::Ecdsa));
    let serials = [
        1_u64,
        2,
        63,
        64,
        65,
        100,
        1_000,
        20_000,
        20_001,
        90_000,
        u64::MAX,
    ];
    let mut names = Vec::new();
    let mut certificates = Vec::new();
    for (by, authority) in [("ours", &ours), ("other", &other)] {
        for serial in serials {
            let id = if serial == 90_000 { "mallory" } else { "ada" };
            let signed = certificate(authority, Kind::User, &key, named(id, &["ada"]), serial);
            let name = format!("{by}-{serial}-cert.pub");
            keys.write(&name, signed.openssh());
            names.push(name);
            certificates.push((authority.public_blob(), signed));
        }
    }
    let ca = ours.public_blob();
    let mut lists = vec![Krl::new(1, 1_790_000_000)];
    let changes: [fn(&mut Krl, &[u8]); 6] = [
        |krl, ca| krl.revoke_serial(ca, 2),
        |krl, ca| krl.revoke_serials(ca, 63, 64),
        |krl, ca| krl.revoke_serials(ca, 100, 20_000),
        |krl, ca| krl.revoke_serial(ca, u64::MAX),
        |krl, ca| krl.revoke_key_id(ca, "mallory"),
        |krl, ca| krl.revoke_key(ca),
    ];
    for change in changes {
        let mut next = lists.last().unwrap().clone();
        change(&mut next, &ca);
        lists.push(next);
    }
    let subject = certificates[0].1.key().unwrap().blob();
    let mut all = Krl::default();
    all.revoke_key(&subject);
    lists.push(all);
    for (n, krl) in lists.iter().enumerate() {
        let ours = certificates
            .iter()
            .map(|(ca, signed)| krl.revokes(ca, signed.serial(), signed.key_id(), &subject));
        assert_eq!(
            revoked(&keys, krl, &names),
            ours.collect::<Vec<_>>(),
            "list {n}"
        );
    }
}

#[test]
fn scattered_serial_numbers_are_told_apart_by_openssh() {
    let keys = Keys::new();
    let key = keys.make("ada", &["-t", "ed25519"]);
    let ca = authority(KeyType::Ed25519);
    let mut krl = Krl::default();
    // Every third of some that are near each other, then a few far away.
    (1..400_u64)
        .step_by(3)
        .chain([50_000, 1 << 40])
        .for_each(|serial| krl.revoke_serial(&ca.public_blob(), serial));
    let serials = [
        1_u64,
        2,
        4,
        7,
        8,
        199,
        200,
        397,
        398,
        49_999,
        50_000,
        1 << 40,
    ];
    let names: Vec<String> = serials
        .iter()
        .map(|serial| {
            let name = format!("{serial}-cert.pub");
            keys.write(
                &name,
                certificate(&ca, Kind::User, &key, named("ada", &["ada"]), *serial).openssh(),
            );
            name
        })
        .collect();
    let expected = serials.map(|serial| (serial < 400 && serial % 3 == 1) || serial >= 50_000);
    assert_eq!(revoked(&keys, &krl, &names), expected);
    assert!(krl.to_bytes().len() < 300, "{} bytes", krl.to_bytes().len());
}

#[test]
fn we_read_the_lists_that_openssh_writes() {
    let keys = Keys::new();
    let line = keys.make("ada", &["-t", "ed25519"]);
    keys.make("ca", &["-t", "ed25519"]);
    let spec = keys.write(
        "spec",
        format!("serial: 5\nserial: 10-20\nid: mallory\nhash: {}\n", {
            let output = keygen(&["-l", "-f", keys.path("ada.pub").to_str().unwrap()]);
            String::from_utf8(output.stdout)
                .unwrap()
                .split_whitespace()
                .nth(1)
                .unwrap()
                .to_owned()
        }),
    );
    let list = keys.path("krl");
    let made = keygen(&[
        "-k",
        "-f",
        list.to_str().unwrap(),
        "-s",
        keys.path("ca.pub").to_str().unwrap(),
        spec.to_str().unwrap(),
    ]);
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let krl = Krl::from_bytes(&std::fs::read(list).unwrap()).unwrap();
    let blob = |line: &str| {
        portreeve_ssh_cert::SubjectKey::from_openssh(line)
            .unwrap()
            .blob()
    };
    let ca = blob(&std::fs::read_to_string(keys.path("ca.pub")).unwrap());
    assert!(
        krl.revokes(&ca, 5, "x", b"k")
            && krl.revokes(&ca, 15, "x", b"k")
            && krl.revokes(&ca, 1, "mallory", b"k")
    );
    assert!(krl.revokes_key(&blob(&line)) && !krl.revokes(&ca, 6, "x", b"k"));
}
