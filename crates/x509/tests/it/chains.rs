//! Chains as others see them: verified with OpenSSL and with the verifier of rustls.

use std::path::Path;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use portreeve_x509::authority::{About, SERIAL_BYTES, root};
use portreeve_x509::chain::{from_pem, to_pem, verify};
use portreeve_x509::{Details, Error, Issuer, Key, Leaf, Name, Request, Usage, fingerprint};

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn about(name: &str, days: i64) -> About<'_> {
    About {
        name,
        serial: [7; SERIAL_BYTES],
        valid_after: NOW,
        valid_before: NOW + SignedDuration::from_hours(24 * days),
    }
}

fn key() -> Key {
    Key::from_pkcs8(&Key::generate().unwrap()).unwrap()
}

struct Authority {
    root: Vec<u8>,
    root_issuer: Issuer,
    intermediate: Issuer,
}

fn authority(name: &str) -> Authority {
    let (root_key, key) = (key(), key());
    let made = root(&root_key, &about(name, 3650)).unwrap();
    let root_issuer = Issuer::new(made.clone(), root_key).unwrap();
    let certificate = root_issuer
        .intermediate(&key.public(), &about("Intermediate", 365))
        .unwrap();
    Authority {
        root: made,
        root_issuer,
        intermediate: Issuer::new(certificate, key).unwrap(),
    }
}

fn leaf(issuer: &Issuer, usage: Usage) -> Vec<u8> {
    issuer
        .leaf(&Leaf {
            public_key: &key().public(),
            common_name: "ca.contoso.example",
            names: &[
                Name::of("ca.contoso.example"),
                Name::of("127.0.0.1"),
                Name::of("ann@contoso.example"),
                Name::of("urn:uuid:0192f7a0-0000-7000-8000-000000000001"),
            ],
            usage,
            serial: [9; SERIAL_BYTES],
            valid_after: NOW,
            valid_before: NOW + SignedDuration::from_hours(24),
        })
        .unwrap()
}

fn chain(authority: &Authority, usage: Usage) -> Vec<Vec<u8>> {
    let issuer = &authority.intermediate;
    vec![leaf(issuer, usage), issuer.certificate().to_vec()]
}

#[test]
fn a_chain_is_good_for_its_usage_its_time_and_its_root() {
    let ours = authority("Root");
    let foreign = authority("Root");
    let day = SignedDuration::from_hours(24);
    for (name, usage, asked, root, at, good) in [
        ("server", Usage::Server, Usage::Server, &ours, NOW, true),
        ("both", Usage::Both, Usage::Both, &ours, NOW, true),
        (
            "server as client",
            Usage::Server,
            Usage::Client,
            &ours,
            NOW,
            false,
        ),
        (
            "client as both",
            Usage::Client,
            Usage::Both,
            &ours,
            NOW,
            false,
        ),
        (
            "namesake of the root",
            Usage::Both,
            Usage::Both,
            &foreign,
            NOW,
            false,
        ),
        (
            "too early",
            Usage::Both,
            Usage::Both,
            &ours,
            NOW - day,
            false,
        ),
        (
            "too late",
            Usage::Both,
            Usage::Both,
            &ours,
            NOW + day + day,
            false,
        ),
    ] {
        let roots = [root.root.clone()];
        let verdict = verify(&chain(&ours, usage), &roots, asked, at);
        assert_eq!(verdict.is_ok(), good, "{name}: {verdict:?}");
    }
}

#[test]
fn an_intermediate_certifies_no_authority() {
    let ours = authority("Root");
    let below = key();
    let certificate = ours
        .intermediate
        .intermediate(&below.public(), &about("Below", 1))
        .unwrap();
    let below = Issuer::new(certificate, below).unwrap();
    let chain = vec![
        leaf(&below, Usage::Both),
        below.certificate().to_vec(),
        ours.intermediate.certificate().to_vec(),
    ];
    let verdict = verify(&chain, &[ours.root], Usage::Both, NOW);
    assert!(matches!(verdict, Err(Error::Untrusted(_))), "{verdict:?}");
}

#[test]
fn nothing_lasts_longer_than_what_certifies_it() {
    let ours = authority("Root");
    let ends = ours.intermediate.valid_before();
    let made = ours.intermediate.leaf(&Leaf {
        public_key: &key().public(),
        common_name: "x",
        names: &[],
        usage: Usage::Both,
        serial: [1; SERIAL_BYTES],
        valid_after: NOW,
        valid_before: ends + SignedDuration::from_hours(1),
    });
    let details = Details::read(&made.unwrap()).unwrap();
    assert_eq!(details.valid_before, ends);
}

#[test]
fn whoever_knows_the_root_before_trusts_the_new_one() {
    let (before, now) = (authority("Before"), authority("Now"));
    let cross = before
        .root_issuer
        .cross_sign(&now.root, [3; SERIAL_BYTES])
        .unwrap();
    let mut chain = chain(&now, Usage::Server);
    assert!(
        verify(
            &chain,
            std::slice::from_ref(&before.root),
            Usage::Server,
            NOW
        )
        .is_err()
    );
    chain.push(cross);
    for root in [before.root, now.root] {
        verify(&chain, &[root], Usage::Server, NOW).unwrap();
    }
}

#[test]
fn a_certificate_says_what_it_was_asked_to_say() {
    let ours = authority("Root");
    let made = leaf(&ours.intermediate, Usage::Both);
    let details = Details::read(&made).unwrap();
    let names: Vec<String> = details.names.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "ca.contoso.example",
            "127.0.0.1",
            "ann@contoso.example",
            "urn:uuid:0192f7a0-0000-7000-8000-000000000001"
        ]
    );
    assert_eq!(details.common_name, "ca.contoso.example");
    assert!(!details.is_authority);
    assert_eq!(from_pem(&to_pem(&made)).unwrap(), [made]);
}

#[test]
fn names_that_no_certificate_can_have_are_refused() {
    let long = "x".repeat(65);
    for name in ["", "two\nlines", &long] {
        let made = root(&key(), &about(name, 1));
        assert!(matches!(made, Err(Error::Contents(_))), "{name:?}");
    }
}

fn openssl(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let run = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = [run.stdout, run.stderr].concat();
    (
        run.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one story, from the root to what openssl says"
)]
fn openssl_takes_our_chains_and_we_its_requests() {
    let ours = authority("Contoso Root CA");
    let folder = tempfile::tempdir().unwrap();
    let write =
        |name: &str, der: &[u8]| std::fs::write(folder.path().join(name), to_pem(der)).unwrap();
    write("root.pem", &ours.root);
    write("between.pem", ours.intermediate.certificate());
    write("leaf.pem", &leaf(&ours.intermediate, Usage::Server));
    let at = NOW.as_second().to_string();
    let (good, said) = openssl(
        folder.path(),
        &[
            "verify",
            "-x509_strict",
            "-attime",
            &at,
            "-purpose",
            "sslserver",
            "-verify_hostname",
            "ca.contoso.example",
            "-CAfile",
            "root.pem",
            "-untrusted",
            "between.pem",
            "leaf.pem",
        ],
    );
    assert!(good, "{said}");
    let (good, said) = openssl(
        folder.path(),
        &[
            "x509",
            "-in",
            "root.pem",
            "-noout",
            "-fingerprint",
            "-sha256",
        ],
    );
    assert!(good, "{said}");
    let shown = said
        .trim()
        .rsplit('=')
        .next()
        .unwrap()
        .replace(':', "")
        .to_lowercase();
    assert_eq!(shown, fingerprint(&ours.root));

    for (name, kind, good) in [
        (
            "P-256",
            vec!["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            true,
        ),
        (
            "P-384",
            vec!["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
            true,
        ),
        ("Ed25519", vec!["ed25519"], true),
        ("RSA", vec!["rsa:2048"], true),
        ("weak RSA", vec!["rsa:1024"], false),
    ] {
        let mut arguments = vec!["req", "-new", "-nodes", "-keyout", "key.pem", "-newkey"];
        arguments.extend(kind);
        arguments.extend([
            "-subj",
            "/CN=ann",
            "-addext",
            "subjectAltName=DNS:web-1,email:ann@contoso.example",
            "-out",
            "request.pem",
        ]);
        let (made, said) = openssl(folder.path(), &arguments);
        assert!(made, "{name}: {said}");
        let pem = std::fs::read_to_string(folder.path().join("request.pem")).unwrap();
        let read = Request::from_pem(&pem);
        assert_eq!(read.is_ok(), good, "{name}: {read:?}");
        let Ok(read) = read else { continue };
        assert_eq!(read.common_name, "ann", "{name}");
        assert_eq!(
            read.names,
            [Name::of("web-1"), Name::of("ann@contoso.example")],
            "{name}"
        );
        let certified = ours.intermediate.leaf(&Leaf {
            public_key: &read.public_key,
            common_name: &read.common_name,
            names: &read.names,
            usage: Usage::Client,
            serial: [2; SERIAL_BYTES],
            valid_after: NOW,
            valid_before: NOW + SignedDuration::from_hours(1),
        });
        certified.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn a_request_that_was_altered_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (made, said) = openssl(
        folder.path(),
        &[
            "req",
            "-new",
            "-nodes",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-keyout",
            "key.pem",
            "-subj",
            "/CN=ann",
            "-outform",
            "DER",
            "-out",
            "request.der",
        ],
    );
    assert!(made, "{said}");
    let der = std::fs::read(folder.path().join("request.der")).unwrap();
    Request::from_der(&der).unwrap();
    let place = der.windows(3).position(|three| three == b"ann").unwrap();
    let mut altered = der.clone();
    altered[place..place + 3].copy_from_slice(b"bob");
    let longer = [der.as_slice(), &[0]].concat();
    for (name, bytes) in [
        ("another name", altered.as_slice()),
        ("with something after it", &longer),
        ("cut short", &der[..der.len() - 1]),
        ("too large", &vec![0; 20_000]),
        ("nothing", &[]),
    ] {
        let read = Request::from_der(bytes);
        assert!(matches!(read, Err(Error::Request(_))), "{name}: {read:?}");
    }
}
