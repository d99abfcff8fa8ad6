//! Who is out, is out: what is revoked is on the list at once, and OpenSSH refuses it.

use super::*;
use http::Method;
use std::time::Duration;

#[tokio::test]
async fn whoever_the_provider_deactivates_is_out_at_once_and_for_good() {
    let town = Town::with_grant().await;
    let before = town.certificate().await;
    assert!(!town.is_revoked(&before).await);
    town.active(false).await;
    assert!(town.is_revoked(&before).await);
    let kept = town
        .admin()
        .get(&format!("/certificates/{}", before.serial))
        .await;
    assert_eq!(kept.text("revoked_why"), "suspended", "{kept}");
    let revoked = events(town.admin(), "SSH_CERT").await;
    let revoked: Vec<_> = revoked
        .iter()
        .filter(|event| event["action"] == "revoke")
        .collect();
    assert_eq!(revoked.len(), 1, "{revoked:?}");

    town.active(true).await;
    let ada = session(&town.world).await;
    let key = town.desk.read(&town.desk.key("ed25519", &[]));
    let again = certificate(&ada, &key).await;
    assert_eq!(again.status, 200, "{again}");
    assert!(!town.is_revoked(&town.desk.issued(&again)).await);
    assert!(town.is_revoked(&before).await, "what was revoked stays so");
    town.world.server.stop().await;
}

#[tokio::test]
async fn whoever_is_out_in_another_way_is_out_as_well() {
    for (name, method, path, body) in [
        (
            "suspended here",
            Method::PATCH,
            "users/ada@contoso.example",
            json!({"status": "suspended"}),
        ),
        (
            "another directory",
            Method::PATCH,
            "/teams/main",
            json!({"active_directory_id": null}),
        ),
        ("directory removed", Method::DELETE, "", Value::Null),
    ] {
        let town = Town::with_grant().await;
        let before = town.certificate().await;
        let path = match path.strip_prefix('/') {
            Some(_) => path.to_owned(),
            None => format!("/directories/{}/{path}", town.world.directory_id)
                .trim_end_matches('/')
                .to_owned(),
        };
        let done = match method {
            Method::PATCH => town.admin().patch(&path, body).await,
            _ => town.admin().delete(&path).await,
        };
        assert!(done.status < 300, "{name}: {done}");
        assert!(town.is_revoked(&before).await, "{name}");
        town.world.server.stop().await;
    }
}

#[tokio::test]
async fn whoever_the_provider_deletes_is_out() {
    let town = Town::with_grant().await;
    let before = town.certificate().await;
    let deleted = town
        .world
        .people
        .delete(&format!("/Users/{}", town.ada_id))
        .await;
    assert_eq!(deleted.status, 204, "{deleted}");
    assert!(town.is_revoked(&before).await);
    town.world.server.stop().await;
}

async fn revoke(town: &Town, what: Value) -> Answer {
    town.admin().post("/certificates/revoke", what).await
}

#[tokio::test]
async fn an_admin_revokes_by_what_is_known() {
    let town = Town::with_grant().await;
    let (first, second, third) = (
        town.certificate().await,
        town.certificate().await,
        town.certificate().await,
    );
    let done = revoke(
        &town,
        json!({"serial": first.serial, "reason": "lost laptop"}),
    )
    .await;
    assert_eq!(done.json["revoked"], json!([first.serial]), "{done}");
    let again = revoke(&town, json!({"serial": first.serial})).await;
    assert_eq!(
        (again.status, &again.json["revoked"]),
        (200, &json!([])),
        "{again}"
    );
    let kept = town
        .admin()
        .get(&format!("/certificates/{}", first.serial))
        .await;
    assert_eq!(kept.text("revoked_why"), "lost laptop", "{kept}");

    let key = town
        .admin()
        .get(&format!("/certificates/{}", second.serial))
        .await;
    let key = key.text("fingerprint").to_owned();
    let done = revoke(&town, json!({"key": key})).await;
    assert_eq!(done.json["revoked"], json!([second.serial]), "{done}");
    let public = town.answer_key(&second);
    let refused = certificate(&town.ada, &public).await;
    assert_eq!(refused.text("code"), "key_revoked", "{refused}");

    let done = revoke(&town, json!({"user": "ada@contoso.example"})).await;
    assert_eq!(done.json["revoked"], json!([third.serial]), "{done}");
    for issued in [&first, &second, &third] {
        assert!(town.is_revoked(issued).await, "{}", issued.serial);
    }
    assert!(!town.is_revoked(&town.certificate().await).await);

    for (name, what, status) in [
        ("nothing", json!({}), 400),
        ("two things", json!({"serial": "1", "user": "ada"}), 400),
        ("no serial number", json!({"serial": "0x10"}), 404),
        ("somebody else's", json!({"serial": "12345"}), 404),
        ("no key", json!({"key": "MD5:00"}), 400),
        ("nobody", json!({"user": "nobody"}), 404),
        ("no host", json!({"host": "nowhere"}), 404),
        (
            "a reason of two lines",
            json!({"user": "ada@contoso.example", "reason": "a\nb"}),
            400,
        ),
    ] {
        let answer = revoke(&town, what).await;
        assert_eq!(answer.status, status, "{name}: {answer}");
    }
    town.world.server.stop().await;
}

impl Town {
    /// The public key that a certificate was asked for with.
    fn answer_key(&self, issued: &Issued) -> String {
        let files = std::fs::read_dir(self.desk.0.path()).unwrap();
        let certificate = self.desk.shown(&issued.file);
        for file in files {
            let path = file.unwrap().path();
            if path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("key-")
                && path.extension().is_some()
            {
                let shown = Command::new("ssh-keygen")
                    .arg("-l")
                    .arg("-f")
                    .arg(&path)
                    .output()
                    .unwrap();
                let shown = String::from_utf8(shown.stdout).unwrap();
                let fingerprint = shown.split_whitespace().nth(1).unwrap();
                if certificate.contains(fingerprint) {
                    return self.desk.read(&path);
                }
            }
        }
        panic!("no key of {}", issued.serial)
    }
}

#[tokio::test]
async fn two_who_revoke_at_once_revoke_once() {
    let town = Town::with_grant().await;
    let issued = town.certificate().await;
    let what = || revoke(&town, json!({"serial": issued.serial}));
    let (one, two, three) = tokio::join!(what(), what(), town.active(false));
    let () = three;
    for answer in [&one, &two] {
        assert_eq!(answer.status, 200, "{answer}");
    }
    let all = events(town.admin(), "SSH_CERT").await;
    let revoked = all
        .iter()
        .filter(|event| event["action"] == "revoke")
        .count();
    assert_eq!(revoked, 1, "{all:?}");
    let list = town.admin().get("/ca/krl").await;
    assert_eq!(list.json["entries"], 1, "{list}");
    assert!(town.is_revoked(&issued).await);
    town.world.server.stop().await;
}

#[tokio::test]
async fn the_list_is_a_list_from_the_start_and_rises_with_what_is_revoked() {
    let town = Town::with_grant().await;
    let issued = town.certificate().await;
    assert!(
        !town.is_revoked(&issued).await,
        "a list of nothing is one that OpenSSH reads"
    );
    let server = town.server();
    let empty = raw(server, "/ca/krl", &[]).await;
    let tag = empty.tag.clone();
    let same = raw(server, "/t/main/ca/krl", &[("if-none-match", &tag)]).await;
    assert_eq!((same.status, same.bytes.len()), (304, 0));
    revoke(&town, json!({"serial": issued.serial})).await;
    let longer = raw(server, "/ca/krl", &[("if-none-match", &tag)]).await;
    assert_eq!(longer.status, 200);
    assert!(longer.bytes.len() > empty.bytes.len());
    assert_ne!(longer.tag, tag);
    assert_eq!(raw(server, "/t/nobody/ca/krl", &[]).await.status, 404);

    let before = town.admin().get("/ca/krl").await;
    assert_eq!(before.json["entries"], 1, "{before}");
    let another = town.certificate().await;
    revoke(&town, json!({"serial": another.serial})).await;
    let after = town.admin().get("/ca/krl").await;
    assert!(
        after.json["version"].as_i64() > before.json["version"].as_i64(),
        "{after}"
    );

    // What has run out by itself need not be on it.
    server.clock().advance(Duration::from_secs(18 * 3600));
    let later = town.admin().get("/ca/krl").await;
    assert_eq!(
        (&later.json["entries"], &later.json["version"]),
        (&json!(0), &after.json["version"]),
        "{later}"
    );
    town.world.server.stop().await;
}

#[tokio::test]
async fn a_list_is_signed_with_the_key_for_people() {
    let town = Town::with_grant().await;
    let issued = town.certificate().await;
    revoke(&town, json!({"serial": issued.serial})).await;
    let krl = town.krl().await;
    let signature = raw(town.server(), "/ca/krl.sig", &[]).await;
    let signature = town.desk.write("krl.sig", &signature.bytes);
    let keys = raw(town.server(), "/ca/user_keys", &[]).await;
    let keys = String::from_utf8(keys.bytes).unwrap();
    let signers = town
        .desk
        .write("signers", format!("portreeve {keys}").as_bytes());
    let verify = |file: &PathBuf| {
        let file = std::fs::File::open(file).unwrap();
        let mut verify = Command::new("ssh-keygen");
        verify
            .args([
                "-Y",
                "verify",
                "-n",
                "krl@portreeve",
                "-I",
                "portreeve",
                "-f",
            ])
            .arg(&signers);
        verify.arg("-s").arg(&signature).stdin(file);
        verify.output().unwrap().status.success()
    };
    assert!(verify(&krl));
    let mut altered = std::fs::read(&krl).unwrap();
    *altered.last_mut().unwrap() ^= 1;
    assert!(!verify(&town.desk.write("altered", &altered)));
    town.world.server.stop().await;
}
