//! Who gets a certificate, what it says, and who gets none.

use super::*;

#[tokio::test]
async fn a_person_gets_a_certificate_that_openssh_reads() {
    let town = Town::with_grant().await;
    let issued = town.certificate().await;
    let own = format!("u:{}", town.ada_id);
    assert_eq!(issued.answer["principals"], json!(["ada", own]));
    let shown = town.desk.shown(&issued.file);
    for part in [
        "ssh-ed25519-cert-v01@openssh.com user certificate",
        "Key ID: \"ada@contoso.example\"",
        &format!("Serial: {}", issued.serial),
        "permit-pty",
        "Critical Options: (none)",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let (user_keys, host_keys) = (&issued.answer["user_keys"], &issued.answer["host_keys"]);
    assert!(user_keys[0].as_str().unwrap().starts_with("ssh-ed25519 "));
    assert_ne!(user_keys, host_keys);

    let path = format!("/certificates/{}", issued.serial);
    let kept = town.admin().get(&path).await;
    assert_eq!(kept.text("state"), "live", "{kept}");
    assert_eq!(kept.json["holder"]["name"], "Ada");
    assert_eq!(kept.json["principals"], issued.answer["principals"]);
    assert_eq!(kept.json["grants"].as_array().unwrap().len(), 1);
    let event = &events(town.admin(), "SSH_CERT").await[0];
    assert_eq!(
        (&event["action"], &event["outcome"], &event["object"]["id"]),
        (&json!("issue"), &json!("ok"), &json!(issued.serial)),
        "{event}"
    );
    town.world.server.stop().await;
}

/// Whom the log says that somebody was refused, and why.
async fn refused(town: &Town, answer: &Answer, code: &str) {
    assert_eq!(
        (answer.status, answer.text("code")),
        (403, code),
        "{answer}"
    );
    let event = &events(town.admin(), "SSH_CERT").await[0];
    assert_eq!(
        (&event["outcome"], &event["reason"]),
        (&json!("refused"), &json!(code)),
        "{event}"
    );
    assert_eq!(event["object"]["id"], json!(town.ada_id), "{event}");
}

#[tokio::test]
async fn whoever_may_log_in_nowhere_gets_none() {
    let town = Town::start().await;
    let key = town.desk.read(&town.desk.key("ed25519", &[]));
    let nothing = certificate(&town.ada, &key).await;
    refused(&town, &nothing, "no_access").await;
    assert!(nothing.text("detail").contains("ask an admin"), "{nothing}");

    let grant = json!({"group": "web-ops", "hosts": "role=db"});
    made(town.admin(), "/grants", grant).await;
    let nowhere = certificate(&town.ada, &key).await;
    refused(&town, &nowhere, "no_host").await;

    // The administrator of the machine is nobody in the roll.
    let local = certificate(town.admin(), &key).await;
    assert_eq!(
        (local.status, local.text("code")),
        (403, "nobody"),
        "{local}"
    );
    town.world.server.stop().await;
}

#[tokio::test]
async fn keys_that_nobody_should_have_get_none() {
    let town = Town::with_grant().await;
    let issued = town.certificate().await;
    let weak = town.desk.read(&town.desk.key("rsa", &["-b", "1024"]));
    let good = town.desk.read(&town.desk.key("rsa", &["-b", "2048"]));
    for (name, key, says) in [
        (
            "a certificate",
            issued.answer["certificate"].as_str().unwrap(),
            "certificate",
        ),
        ("a weak key", &weak, "1024 bits"),
        ("nothing", "", "public_key"),
        ("half a key", good.get(..60).unwrap(), "public_key"),
        (
            "another type in front",
            &good.replacen("ssh-rsa", "ssh-ed25519", 1),
            "public_key",
        ),
    ] {
        let answer = certificate(&town.ada, key).await;
        assert_eq!(answer.status, 400, "{name}: {answer}");
        assert!(answer.text("detail").contains(says), "{name}: {answer}");
    }
    let answer = certificate(&town.ada, &good).await;
    assert_eq!(answer.status, 200, "{answer}");
    town.world.server.stop().await;
}

async fn for_seconds(client: &Client, key: &str, seconds: u64) -> Answer {
    let wanted = json!({"public_key": key, "valid_seconds": seconds});
    client.post("/me/certificate", wanted).await
}

fn lasts(answer: &Answer) -> i64 {
    let at = |name| answer.text(name).parse::<jiff::Timestamp>().unwrap();
    at("valid_before")
        .duration_since(at("valid_after"))
        .as_secs()
}

#[tokio::test]
async fn a_certificate_lasts_as_long_as_the_policy_allows() {
    let town = Town::with_grant().await;
    let key = town.desk.read(&town.desk.key("ed25519", &[]));
    // A minute for slow clocks is on top of it.
    let usual = certificate(&town.ada, &key).await;
    assert_eq!(lasts(&usual), 16 * 3600 + 60, "{usual}");
    let hour = for_seconds(&town.ada, &key, 3600).await;
    assert_eq!(lasts(&hour), 3660, "{hour}");
    for (seconds, code) in [
        (60, "too_short"),
        (7 * 24 * 3600, "too_long"),
        (u64::MAX, "too_long"),
        (0, "backwards"),
    ] {
        let answer = for_seconds(&town.ada, &key, seconds).await;
        refused(&town, &answer, code).await;
    }

    let change = json!({"user": {
        "default_seconds": 900, "longest_seconds": 1200, "extensions": {"permit-pty": ""},
        "critical_options": {"source-address": "10.0.0.0/8"},
    }});
    let changed = town.admin().patch("/ca/policy", change).await;
    assert_eq!(changed.status, 200, "{changed}");
    let short = town.certificate().await;
    let shown = town.desk.shown(&short.file);
    assert!(shown.contains("source-address 10.0.0.0/8"), "{shown}");
    assert!(!shown.contains("permit-user-rc"), "{shown}");
    refused(&town, &for_seconds(&town.ada, &key, 3600).await, "too_long").await;
    let wrong = json!({"user": {"critical_options": {"no-pty": ""}}});
    let wrong = town.admin().patch("/ca/policy", wrong).await;
    assert_eq!(wrong.status, 400, "{wrong}");
    town.world.server.stop().await;
}

#[tokio::test]
async fn a_certificate_ends_with_the_access_that_it_rests_on() {
    let town = Town::start().await;
    let now = jiff::Timestamp::try_from(town.server().clock().time()).unwrap();
    let until = now + jiff::SignedDuration::from_mins(90);
    let grant =
        json!({"user": "ada@contoso.example", "hosts": "role=web", "until": until.to_string()});
    made(town.admin(), "/grants", grant).await;
    let issued = town.certificate().await;
    let ends: jiff::Timestamp = issued.answer["valid_before"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(ends.as_second(), until.as_second());
    town.server()
        .clock()
        .advance(std::time::Duration::from_secs(90 * 60));
    let key = town.desk.read(&town.desk.key("ed25519", &[]));
    refused(&town, &certificate(&town.ada, &key).await, "no_access").await;
    town.world.server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "mostly a table of filters")]
async fn certificates_are_found_by_what_people_know_of_them() {
    let town = Town::with_grant().await;
    let mut serials = Vec::new();
    for _ in 0..3 {
        serials.insert(0, town.certificate().await.serial);
        town.server()
            .clock()
            .advance(std::time::Duration::from_millis(1));
    }
    let admin = town.admin();
    let newest = admin.get(&format!("/certificates/{}", serials[0])).await;
    let key = newest.text("fingerprint").replace('+', "%2B");
    let revoked = admin.delete(&format!("/certificates/{}", serials[2])).await;
    assert_eq!(
        (revoked.status, revoked.text("state")),
        (200, "revoked"),
        "{revoked}"
    );
    for (name, query, found) in [
        ("all", "", &serials[..]),
        ("of Ada", "user=ada@contoso.example", &serials),
        ("for a key", &format!("key={key}"), &serials[..1]),
        ("live", "state=live", &serials[..2]),
        ("revoked", "state=revoked", &serials[2..]),
        ("of hosts", "kind=host", &[]),
        ("of a host", "host=web-1", &[]),
    ] {
        let answer = admin.get(&format!("/certificates?{query}")).await;
        let listed: Vec<&str> = answer
            .json
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"))
            .iter()
            .map(|one| one["serial"].as_str().unwrap())
            .collect();
        assert_eq!(listed, found, "{name}: {answer}");
    }
    let mut walked = Vec::new();
    let mut path = "/certificates?count=2".to_owned();
    loop {
        let page = admin.get(&path).await;
        walked.extend(
            page.json
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["serial"].as_str().unwrap().to_owned()),
        );
        let Some(link) = page.header("link") else {
            break;
        };
        let query = link.trim_start_matches('<').split('>').next().unwrap();
        path = format!("/certificates{query}");
    }
    assert_eq!(walked, serials);
    for (query, status) in [("user=nobody", 404), ("state=lost", 400), ("cursor=x", 400)] {
        let answer = admin.get(&format!("/certificates?{query}")).await;
        assert_eq!(answer.status, status, "{query}: {answer}");
    }
    for serial in ["0", "-1", "x", "99999999999999999999"] {
        let answer = admin.get(&format!("/certificates/{serial}")).await;
        assert_eq!(answer.status, 404, "{serial}: {answer}");
    }
    town.world.server.stop().await;
}

#[tokio::test]
async fn a_service_account_gets_one_for_a_limited_time() {
    let town = Town::start().await;
    let admin = town.admin();
    let account = json!({"name": "build", "permissions": ["self"]});
    let account = made(admin, "/service-accounts", account).await;
    let token = json!({"service_account": "build", "permissions": ["self"]});
    let token = made(admin, "/api-tokens", token).await;
    let now = jiff::Timestamp::try_from(town.server().clock().time()).unwrap();
    let until = now + jiff::SignedDuration::from_hours(48);
    let grant = json!({"user": "build", "hosts": "role=web", "principals": ["deploy"], "until": until.to_string()});
    made(admin, "/grants", grant).await;
    let build = town.ada.with_token(Some(token.text("secret")));
    let key = town.desk.read(&town.desk.key("ed25519", &[]));
    let issued = certificate(&build, &key).await;
    assert_eq!(issued.status, 200, "{issued}");
    let own = format!("u:{}", account.id());
    assert_eq!(issued.json["principals"], json!(["build", "deploy", own]));

    let path = format!("/service-accounts/{}", account.id());
    let suspended = admin.patch(&path, json!({"status": "suspended"})).await;
    assert_eq!(suspended.status, 200, "{suspended}");
    assert!(town.is_revoked(&town.desk.issued(&issued)).await);
    town.world.server.stop().await;
}
