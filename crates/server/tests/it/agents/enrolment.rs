//! How machines become hosts, and how not.

use super::world::{Machine, World, refused};
use jiff::SignedDuration;
use portreeve_ssh_cert::{Signed, SubjectKey};
use portreeve_testbed::openid::SigningKey;
use portreeve_x509::Details;
use serde_json::{Value, json};
use std::time::Duration;

/// The certificate in a line of a `-cert.pub` file.
fn certificate(line: &Value) -> Signed {
    use base64::Engine;
    let blob = line.as_str().unwrap().split(' ').nth(1).unwrap();
    let blob = base64::engine::general_purpose::STANDARD.decode(blob);
    Signed::from_blob(&blob.unwrap()).unwrap()
}

#[tokio::test]
async fn a_machine_with_a_token_becomes_a_host() {
    let world = World::start().await;
    let machine = Machine::new("web-1");
    let token = world
        .token(json!({"name": "web servers", "tags": {"role": "web"}, "name_pattern": "web-*"}))
        .await;
    let root = portreeve_x509::chain::from_pem(&world.root).unwrap();
    assert_eq!(token.root, portreeve_x509::fingerprint(&root[0]));
    assert_eq!(token.url, world.stranger.base());
    let wanted = world.wanted(
        &machine,
        &json!({
            "token": token.secret, "tags": {"role": "db", "env": "prod"},
            "hostnames": ["web-1.example.com", "db-1", "WEB-1.local", "localhost"],
        }),
    );
    let host = world.enrolled(&machine, &world.ask(wanted).await);

    let answer = &host.answer;
    let shown = certificate(&answer["certificate"]);
    let names = ["web-1", "web-1.example.com", "web-1.local"];
    assert_eq!(shown.principals(), names, "and no name of another host");
    let key = SubjectKey::from_openssh(&machine.line()).unwrap();
    assert_eq!(shown.key().unwrap().blob(), key.blob());
    let identity = answer["identity"][0].as_str().unwrap();
    let identity = Details::read(&portreeve_x509::chain::from_pem(identity).unwrap()[0]).unwrap();
    let uri = format!("urn:uuid:{}", host.id);
    let names: Vec<_> = identity.names.iter().map(ToString::to_string).collect();
    assert_eq!(names, [uri.as_str(), "web-1"]);
    assert!(
        answer["user_keys"][0]
            .as_str()
            .unwrap()
            .starts_with("ssh-ed25519 ")
    );

    let kept = world.admin().get("/hosts/web-1").await;
    let tags = json!({"role": "web", "env": "prod"});
    assert_eq!(kept.json["tags"], tags, "those of the token count: {kept}");
    assert_eq!(kept.text("status"), "enrolled", "{kept}");
    assert_eq!(kept.json["agent"]["os"], "Debian GNU/Linux 12", "{kept}");
    assert_eq!(kept.text("host_key"), key.fingerprint());
    let again = world.wanted(&Machine::new("web-2"), &json!({"token": token.secret}));
    assert_eq!(refused(&world.ask(again).await), (401, "token_used_up"));
    let token = &world.admin().get("/host-tokens").await.json[0];
    assert_eq!(
        (&token["status"], &token["used"]),
        (&json!("used_up"), &json!(1))
    );
    let events = world.events("category=ADMIN").await;
    let done = |one: &&Value| one["action"] == "enroll" && one["outcome"] == "ok";
    let enrolled = events.iter().find(done).unwrap();
    assert_eq!(enrolled["object"]["id"], json!(host.id), "{enrolled}");
    assert!(!enrolled.to_string().contains("prv_enroll_"), "{enrolled}");
    world.server.stop().await;
}

#[tokio::test]
async fn of_many_who_come_at_once_as_many_enrol_as_the_token_is_for() {
    let world = World::start().await;
    let token = world.token(json!({"uses": 2})).await.secret;
    let come = ["web-1", "web-2", "web-3", "web-4"].map(|name| {
        let wanted = world.wanted(&Machine::new(name), &json!({"token": token}));
        world.ask(wanted)
    });
    let answers = futures_util::future::join_all(come).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 401, 401]);
    let hosts = world.admin().get("/hosts").await;
    assert_eq!(hosts.json.as_array().unwrap().len(), 2, "{hosts}");
    world.server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn who_may_not_become_a_host_is_told_why_and_it_is_written_down() {
    let world = World::start().await;
    let first = Machine::new("web-1");
    world.enrol(&first, &json!({})).await;
    let waited_for = Machine::new("web-2");
    world
        .make(
            "/hosts",
            json!({"name": "web-2", "host_key": waited_for.line()}),
        )
        .await;
    let good = world.token(json!({"uses": 100})).await.secret;
    let pattern = world.token(json!({"name_pattern": "db-*"})).await.secret;
    let soon = world.now() + SignedDuration::from_mins(1);
    let expired = world
        .token(json!({"expires_at": soon.to_string()}))
        .await
        .secret;
    let replacing = world
        .token(json!({"may_replace": true, "uses": 9}))
        .await
        .secret;
    let revoked = world.token(json!({"name": "revoked"})).await.secret;
    let all = world.admin().get("/host-tokens").await;
    let named = |one: &&Value| one["name"] == "revoked";
    let id = all.json.as_array().unwrap().iter().find(named).unwrap()["id"].clone();
    let ended = world
        .admin()
        .delete(&format!("/host-tokens/{}", id.as_str().unwrap()))
        .await;
    assert_eq!(ended.text("status"), "revoked", "{ended}");
    world.server.clock().advance(Duration::from_secs(120));
    let other = format!("{}x", &good[..good.len() - 1]);

    let new = Machine::new("web-9");
    let same_name = Machine::new("WEB-1");
    let pretender = Machine::new("web-2");
    let cases: [(&str, &Machine, Value, (u16, &str)); 12] = [
        ("no token", &new, json!({}), (401, "token_missing")),
        (
            "no token of ours",
            &new,
            json!({"token": "pe_x"}),
            (401, "token_unknown"),
        ),
        (
            "another secret",
            &new,
            json!({"token": other}),
            (401, "token_unknown"),
        ),
        (
            "expired",
            &new,
            json!({"token": expired}),
            (401, "token_expired"),
        ),
        (
            "revoked",
            &new,
            json!({"token": revoked}),
            (401, "token_revoked"),
        ),
        (
            "another pattern",
            &new,
            json!({"token": pattern}),
            (403, "name_not_allowed"),
        ),
        (
            "a name that is taken",
            &same_name,
            json!({"token": good}),
            (409, "name_taken"),
        ),
        (
            "replacing with a token that may not",
            &same_name,
            json!({"token": good, "replace": true}),
            (409, "name_taken"),
        ),
        (
            "a token that may, without saying so",
            &same_name,
            json!({"token": replacing}),
            (409, "name_taken"),
        ),
        (
            "another key is waited for",
            &pretender,
            json!({"token": good}),
            (409, "host_key_required"),
        ),
        (
            "no name",
            &Machine::new("-"),
            json!({"token": good}),
            (400, "invalid"),
        ),
        (
            "no key",
            &new,
            json!({"token": good, "host_key": "ssh-rsa AAAA"}),
            (400, "invalid"),
        ),
    ];
    for (name, machine, change, expected) in cases {
        let answer = world.ask(world.wanted(machine, &change)).await;
        assert_eq!(refused(&answer), expected, "{name}: {answer}");
        let event = &world.events("category=ADMIN").await[0];
        assert_eq!(
            (&event["action"], &event["outcome"], &event["reason"]),
            (&json!("enroll"), &json!("refused"), &json!(expected.1)),
            "{name}: {event}"
        );
    }
    let hosts = world.admin().get("/hosts").await;
    assert_eq!(hosts.json.as_array().unwrap().len(), 2, "{hosts}");
    world.server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn a_host_that_is_known_by_its_key_enrols_without_a_token() {
    let world = World::start().await;
    let machine = Machine::new("web-2");
    world
        .make(
            "/hosts",
            json!({"name": "web-2", "tags": {"role": "web"}, "host_key": machine.line()}),
        )
        .await;
    let thief = Machine::new("web-2");
    let wanted = world.wanted(&machine, &json!({"tags": {"env": "prod"}}));
    let now = SignedDuration::ZERO;
    let with = |wanted: &Value, proof: Value| {
        let mut wanted = wanted.clone();
        wanted["proof"] = proof;
        wanted
    };
    let good = world.proof(&machine, &wanted, now);
    let mut of_other_key = world.proof(&thief, &wanted, now);
    of_other_key["key"] = json!(machine.line());
    let mut other_csr = wanted.clone();
    other_csr["csr"] = json!(thief.csr());
    for (name, wanted, proof, expected) in [
        (
            "another key",
            &wanted,
            world.proof(&thief, &wanted, now),
            "host_key_unknown",
        ),
        (
            "another key under that name",
            &wanted,
            of_other_key,
            "proof_wrong",
        ),
        (
            "for another identity",
            &other_csr,
            good.clone(),
            "proof_wrong",
        ),
        (
            "of ten minutes ago",
            &wanted,
            world.proof(&machine, &wanted, SignedDuration::from_mins(10)),
            "proof_time",
        ),
    ] {
        let answer = world.ask(with(wanted, proof)).await;
        assert_eq!(refused(&answer), (401, expected), "{name}: {answer}");
    }
    let first = world.enrolled(&machine, &world.ask(with(&wanted, good.clone())).await);
    let kept = world.admin().get("/hosts/web-2").await;
    assert_eq!(
        kept.json["tags"],
        json!({"role": "web"}),
        "an admin decided: {kept}"
    );
    let again = world.ask(with(&wanted, good)).await;
    assert_eq!(refused(&again), (401, "proof_used"), "{again}");

    // The answer may be lost: with a fresh proof the same machine enrols again.
    let machine = machine.rekeyed();
    let wanted = world.wanted(&machine, &json!({}));
    let proof = world.proof(&machine, &wanted, now);
    let second = world.enrolled(&machine, &world.ask(with(&wanted, proof)).await);
    assert_eq!(first.id, second.id);
    assert_eq!(
        refused(&first.policy(None, 0).await),
        (401, "identity_replaced")
    );
    assert_eq!(second.policy(None, 0).await.status, 200);
    world.server.stop().await;
}

#[tokio::test]
async fn another_machine_takes_a_name_with_a_token_that_may_replace() {
    let world = World::start().await;
    let old = Machine::new("web-1");
    let before = world.enrol(&old, &json!({})).await;
    let token = world.token(json!({"may_replace": true})).await.secret;
    let new = Machine::new("web-1");
    let wanted = world.wanted(&new, &json!({"token": token, "replace": true}));
    let after = world.enrolled(&new, &world.ask(wanted).await);
    assert_eq!(before.id, after.id);
    assert_eq!(
        refused(&before.policy(None, 0).await),
        (401, "identity_replaced")
    );
    let serial = certificate(&before.answer["certificate"]).serial();
    let shown = world.admin().get(&format!("/certificates/{serial}")).await;
    assert_eq!(shown.text("state"), "revoked", "{shown}");
    world.server.stop().await;
}

#[tokio::test]
async fn certificates_are_renewed_and_end_with_the_host() {
    let world = World::start().await;
    let machine = Machine::new("web-1");
    let host = world.enrol(&machine, &json!({})).await;
    let other = json!({"host_key": Machine::new("x").line()});
    let refusal = host.agent.post("/host/v1/renew", other).await;
    assert_eq!(refused(&refusal), (403, "host_key_changed"), "{refusal}");

    world
        .admin()
        .patch("/hosts/web-1", json!({"name": "web-01"}))
        .await;
    let machine = machine.rekeyed();
    let both = json!({"csr": machine.csr(), "host_key": machine.line()});
    let renewed = host.agent.post("/host/v1/renew", both).await;
    let shown = certificate(&renewed.json["certificate"]);
    assert_eq!(shown.principals(), ["web-01"], "as it is called now");
    let lost = world.known(&machine, &renewed.json["identity"]);
    let renewed = host
        .agent
        .post("/host/v1/renew", json!({"csr": machine.csr()}))
        .await;
    assert_eq!(renewed.json.get("certificate"), None, "{renewed}");
    assert_eq!(
        refused(&lost.get("/host/v1/krl").await),
        (401, "identity_replaced"),
        "an answer that was lost counts no more"
    );
    let agent = world.known(&machine, &renewed.json["identity"]);
    assert_eq!(
        host.agent.get("/host/v1/krl").await.status,
        200,
        "the new one was not used"
    );
    let report = json!({"agent_version": "0.1.0", "now": world.now().to_string()});
    assert_eq!(agent.post("/host/v1/report", report).await.status, 200);
    assert_eq!(
        refused(&host.agent.get("/host/v1/krl").await),
        (401, "identity_replaced")
    );

    assert_eq!(agent.post("/host/v1/leave", json!({})).await.status, 204);
    assert_eq!(
        refused(&agent.get("/host/v1/krl").await),
        (401, "host_left")
    );
    let kept = world.admin().get("/hosts/web-01").await;
    assert_eq!(kept.text("status"), "left", "{kept}");
    let wanted = world.wanted(&Machine::new("web-01"), &json!({}));
    let token = world.token(json!({})).await.secret;
    let mut wanted = wanted;
    wanted["token"] = json!(token);
    assert_eq!(
        world.ask(wanted).await.status,
        201,
        "who has left may come back"
    );

    assert_eq!(world.admin().delete("/hosts/web-01").await.status, 204);
    assert_eq!(
        refused(&agent.get("/host/v1/krl").await),
        (401, "host_removed")
    );
    world.server.stop().await;
}

#[tokio::test]
async fn only_the_agent_speaks_for_a_host() {
    let world = World::start().await;
    let machine = Machine::new("web-1");
    let host = world.enrol(&machine, &json!({})).await;
    let anonymous = world.stranger.get("/host/v1/policy").await;
    assert_eq!(refused(&anonymous), (401, "no_identity"), "{anonymous}");

    // Whoever may vouch for names has a certificate of the host of that name, by which nobody speaks for it here.
    let admin = SigningKey::p256("admin-key");
    let declared = json!({"name": "admin", "kind": "jwk", "key": admin.jwk()});
    world.make("/ca/provisioners", declared).await;
    let now = world.now().as_second();
    let token = admin.token(&json!({
        "iss": "admin", "aud": format!("{}/1.0/ssh/sign", world.stranger.base()), "sub": "web-1", "jti": "1",
        "iat": now, "nbf": now, "exp": now + 300, "sha": "00",
        "step": {"ssh": {"certType": "host", "keyID": "web-1", "principals": ["web-1"]}},
    }));
    let key = SubjectKey::from_openssh(&machine.line()).unwrap();
    use base64::Engine;
    let key = base64::engine::general_purpose::STANDARD.encode(key.blob());
    let asked = json!({"publicKey": key, "ott": token, "certType": "host", "principals": ["web-1"], "identityCSR": machine.csr()});
    let signed = world.stranger.post("/ssh/sign", asked).await;
    assert_eq!(signed.status, 201, "{signed}");
    let pretender = world.known(&machine, &signed.json["identityCrt"]);
    let answer = pretender.get("/host/v1/policy").await;
    assert_eq!(refused(&answer), (401, "identity_replaced"), "{answer}");
    assert_eq!(host.policy(None, 0).await.status, 200);
    world.server.stop().await;
}

#[tokio::test]
async fn the_key_of_a_host_without_an_agent_is_certified_for_an_admin() {
    let world = World::start().await;
    let machine = Machine::new("old-1");
    world.make("/hosts", json!({"name": "old-1"})).await;
    let wanted = json!({"public_key": machine.line(), "names": ["10.0.0.7", "OLD-1"], "valid_seconds": 86400});
    let issued = world.admin().post("/hosts/old-1/certificate", wanted).await;
    assert_eq!(issued.status, 200, "{issued}");
    let shown = certificate(&issued.json["certificate"]);
    assert_eq!(shown.principals(), ["old-1", "10.0.0.7"]);
    let kept = world.admin().get("/certificates?host=old-1").await;
    assert_eq!(kept.json[0]["serial"], issued.json["serial"], "{kept}");
    let nobody = json!({"public_key": machine.line()});
    let missing = world.admin().post("/hosts/nope/certificate", nobody).await;
    assert_eq!(refused(&missing), (404, "not_found"), "{missing}");
    world.server.stop().await;
}
