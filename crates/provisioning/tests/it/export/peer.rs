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

fn boss() -> Subject {
    let mut boss = ada();
    boss.key = "k2".to_owned();
    let name = json!("boss@contoso.example");
    boss.attributes.insert("userPrincipalName".to_owned(), name);
    boss.attributes.remove("manager");
    boss
}

#[tokio::test]
async fn people_and_groups_live_through_their_whole_life_in_both_dialects() {
    for flag in ["", "?aadOptscim062020"] {
        let server = TestServer::start().await;
        let entra = server.directory("entra").await;
        let (target, stamp) = (target(&entra, flag), stamp());
        let made = bring(&target, &ada(), &stamp).await;
        let chief = bring(&target, &boss(), &stamp).await;
        let group = bring(&target, &sales(), &stamp).await;
        let id = made.target_id.clone().unwrap();
        let path = format!("/Users/{id}");
        let shown = entra.get(&path).await.json;
        for (name, value) in [
            ("userName", json!("ada@contoso.example")),
            ("externalId", json!("k1")),
            ("active", json!(true)),
            ("nickName", json!("ada")),
        ] {
            assert_eq!(shown[name], value, "{flag} {name}");
        }

        // Her manager and her group.
        let due = |outcome: &Outcome, attribute: &str, change: Change| Due {
            kind: outcome.kind,
            key: outcome.key.clone(),
            name: None,
            target_id: outcome.target_id.clone().unwrap(),
            attribute: attribute.to_owned(),
            changes: vec![change],
            escrow: None,
        };
        let change = |other: &Outcome, wanted| Change {
            other_key: other.key.clone(),
            other: other.target_id.clone().unwrap(),
            wanted,
        };
        let app = application(|text| text);
        let names = made.references.clone().unwrap();
        assert_eq!(names, [(MANAGER.to_owned(), vec!["k2".to_owned()])]);
        for (due, there) in [
            (due(&made, MANAGER, change(&chief, true)), true),
            (due(&group, MEMBERS, change(&made, true)), true),
            (due(&group, MEMBERS, change(&made, false)), false),
            (due(&made, MANAGER, change(&chief, false)), false),
        ] {
            let outcome = write_references(&app, &target, &due, &stamp).await;
            assert_eq!(outcome.applied.len(), 1, "{flag} {outcome:?}");
            let shown = match due.kind {
                Kind::User => entra
                    .get(&path)
                    .await
                    .json
                    .pointer(
                        "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value",
                    )
                    .cloned(),
                Kind::Group => {
                    let group = entra.get(&format!("/Groups/{}", due.target_id)).await.json;
                    group.pointer("/members/0/value").cloned()
                }
            };
            let other = due.changes[0].other.as_str();
            assert_eq!(
                shown,
                there.then(|| json!(other)),
                "{flag} {}",
                due.attribute
            );
        }

        // Renamed, blocked, welcomed back, purged.
        let mut renamed = ada();
        renamed
            .attributes
            .insert("displayName".to_owned(), json!("Ada L"));
        let outcome = bring(&target, &again(&made, renamed.clone()), &stamp).await;
        assert_eq!(outcome.counted, Counted::Updated);
        let blocked = with_facts(again(&outcome, renamed.clone()), |it| it.enabled = false);
        let outcome = bring(&target, &blocked, &stamp).await;
        assert_eq!(outcome.counted, Counted::Disabled);
        let shown = entra.get(&path).await.json;
        assert_eq!(
            (&shown["active"], &shown["displayName"]),
            (&json!(false), &json!("Ada L"))
        );
        let outcome = bring(&target, &again(&outcome, renamed.clone()), &stamp).await;
        assert_eq!(outcome.counted, Counted::Updated);
        assert_eq!(entra.get(&path).await.json["active"], true);
        // Whoever has lost the links finds her again, and has nothing to say.
        let found = bring(&target, &renamed, &stamp).await;
        assert_eq!(
            (found.counted, &found.target_id),
            (Counted::Unchanged, &made.target_id)
        );
        let purged = with_facts(again(&found, renamed), |it| it.presence = Presence::Gone);
        let outcome = bring(&target, &purged, &stamp).await;
        assert_eq!(outcome.counted, Counted::Deleted);
        assert_eq!(entra.get(&path).await.status, 404);
        server.stop().await;
    }
}
