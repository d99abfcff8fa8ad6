//! The way of objects into a real Portreeve: what it shows afterwards is what it was given.

use std::sync::Arc;

use portreeve_provisioning::engine::plan::Presence;
use portreeve_provisioning::job::{
    Change, Counted, Due, MEMBERS, Outcome, Stamp, Subject, Target, export, write_references,
};
use portreeve_provisioning::source::Kind;
use portreeve_provisioning::target::{Client, Limits, Surroundings, TenantUrl};
use portreeve_testbed::TestServer;
use secrecy::SecretString;
use serde_json::json;

use super::{MANAGER, ada, application, sales, stamp, with_facts};
use crate::double::Standstill;

fn target(client: &portreeve_testbed::Client, flag: &str) -> Target {
    let url = TenantUrl::parse(&format!("{}{flag}", client.base())).unwrap();
    let token = SecretString::from(client.token().unwrap());
    let surroundings: Arc<dyn Surroundings> = Arc::new(Standstill::default());
    Target::new(Client::new(url, &token, Limits::default(), surroundings).unwrap())
}

async fn bring(target: &Target, subject: &Subject, stamp: &Stamp) -> Outcome {
    let outcome = export(&application(|text| text), target, subject, false, stamp).await;
    assert_ne!(outcome.counted, Counted::Failed, "{outcome:?}");
    outcome
}

fn again(outcome: &Outcome, subject: Subject) -> Subject {
    Subject {
        link: outcome.link,
        target_id: outcome.target_id.clone(),
        exported: outcome.exported.clone(),
        ..subject
    }
}

/// Where a user shows the manager.
const MANAGER_AT: &str =
    "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value";

fn boss() -> Subject {
    let mut boss = ada();
    boss.key = "k2".to_owned();
    let name = json!("boss@contoso.example");
    boss.attributes.insert("userPrincipalName".to_owned(), name);
    boss.attributes.remove("manager");
    boss
}

const DIALECTS: [&str; 2] = ["", "?aadOptscim062020"];

#[tokio::test]
async fn people_live_through_their_whole_life_in_both_dialects() {
    for flag in DIALECTS {
        let server = TestServer::start().await;
        let entra = server.directory("entra").await;
        let (target, stamp) = (target(&entra, flag), stamp());
        let made = bring(&target, &ada(), &stamp).await;
        let path = format!("/Users/{}", made.target_id.as_ref().unwrap());
        let shown = entra.get(&path).await.json;
        for (name, value) in [
            ("userName", json!("ada@contoso.example")),
            ("externalId", json!("k1")),
            ("active", json!(true)),
            ("nickName", json!("ada")),
        ] {
            assert_eq!(shown[name], value, "{flag} {name}");
        }
        let mut renamed = ada();
        let name = json!("Ada L");
        renamed.attributes.insert("displayName".to_owned(), name);
        let outcome = bring(&target, &again(&made, renamed.clone()), &stamp).await;
        assert_eq!(outcome.counted, Counted::Updated);
        let blocked = with_facts(again(&outcome, renamed.clone()), |it| it.enabled = false);
        let outcome = bring(&target, &blocked, &stamp).await;
        assert_eq!(outcome.counted, Counted::Disabled);
        let shown = entra.get(&path).await.json;
        let expected = (&json!(false), &json!("Ada L"));
        assert_eq!((&shown["active"], &shown["displayName"]), expected);
        let outcome = bring(&target, &again(&outcome, renamed.clone()), &stamp).await;
        assert_eq!(outcome.counted, Counted::Updated);
        assert_eq!(entra.get(&path).await.json["active"], true);
        // Whoever has lost the links finds her again, and has nothing to say.
        let found = bring(&target, &renamed, &stamp).await;
        assert_eq!(found.counted, Counted::Unchanged);
        assert_eq!(found.target_id, made.target_id);
        let purged = with_facts(again(&found, renamed), |it| it.presence = Presence::Gone);
        let outcome = bring(&target, &purged, &stamp).await;
        assert_eq!(outcome.counted, Counted::Deleted);
        assert_eq!(entra.get(&path).await.status, 404);
        server.stop().await;
    }
}

/// One reference of an object that comes or goes.
fn due(holder: &Outcome, attribute: &str, other: &Outcome, wanted: bool) -> Due {
    Due {
        kind: holder.kind,
        key: holder.key.clone(),
        name: None,
        target_id: holder.target_id.clone().unwrap(),
        attribute: attribute.to_owned(),
        changes: vec![Change {
            other_key: other.key.clone(),
            other: other.target_id.clone().unwrap(),
            wanted,
        }],
        escrow: None,
    }
}

#[tokio::test]
async fn managers_and_members_come_and_go_in_both_dialects() {
    for flag in DIALECTS {
        let server = TestServer::start().await;
        let entra = server.directory("entra").await;
        let (target, stamp, app) = (target(&entra, flag), stamp(), application(|text| text));
        let ada = bring(&target, &ada(), &stamp).await;
        let boss = bring(&target, &boss(), &stamp).await;
        let group = bring(&target, &sales(), &stamp).await;
        for (due, path, there) in [
            (due(&ada, MANAGER, &boss, true), MANAGER_AT, true),
            (due(&group, MEMBERS, &ada, true), "/members/0/value", true),
            (due(&group, MEMBERS, &ada, false), "/members/0/value", false),
            (due(&ada, MANAGER, &boss, false), MANAGER_AT, false),
        ] {
            let outcome = write_references(&app, &target, &due, &stamp).await;
            assert_eq!(outcome.applied.len(), 1, "{flag} {outcome:?}");
            let endpoint = match due.kind {
                Kind::User => "Users",
                Kind::Group => "Groups",
            };
            let shown = entra.get(&format!("/{endpoint}/{}", due.target_id)).await;
            let other = json!(due.changes[0].other);
            let expected = there.then_some(&other);
            assert_eq!(shown.json.pointer(path), expected, "{flag} {path}");
        }
        server.stop().await;
    }
}
