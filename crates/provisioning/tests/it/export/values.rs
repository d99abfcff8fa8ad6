//! Values that depend on more than the object: roles, what the target has already, dry runs.

use portreeve_provisioning::engine::codes::Code;
use portreeve_provisioning::job::{Counted, Target, export};
use portreeve_provisioning::source::Kind;
use serde_json::{Value, json};

use super::{MANAGED, ada, application, linked, nobody, refusal, shown_with, stamp, subject};
use crate::double::{Double, Reply, Seen};

const UNIQUE: &str = r#"{ target = "nickName", expression = 'SelectUniqueValue([a], Append([a], "1"), Append([a], "2"))', flowType = "ObjectAddOnly" }"#;

fn choosing() -> portreeve_provisioning::application::Application {
    application(|text| {
        let plain =
            r#"{ target = "nickName", attribute = "mailNickname", flowType = "ObjectAddOnly" }"#;
        assert!(text.contains(plain));
        text.replace(plain, UNIQUE)
    })
}

type Names = &'static [&'static str];

/// A target where somebody has each of these nicknames, and where they are unique.
fn with_nicknames(taken: Names, hidden: Names) -> impl FnMut(&Seen) -> Reply + Send {
    let mut hidden = hidden.to_vec();
    move |seen| {
        let asked = |name: &&str| seen.target.contains(&format!("nickName+eq+%22{name}%22"));
        if seen.method == "GET" {
            let found = taken
                .iter()
                .find(|name| asked(name) && !hidden.contains(*name));
            return match found {
                Some(name) => super::list(&[json!({"id": "x", "nickName": name})]),
                None => nobody(),
            };
        }
        let body = seen.body.as_ref().unwrap();
        let name = body["nickName"].as_str().unwrap();
        match taken.contains(&name) {
            true => {
                // From now on it shows.
                hidden.clear();
                refusal(409, Some("uniqueness"))
            }
            false => Reply::scim(201, &json!({"id": "u1", "userName": body["userName"]})),
        }
    }
}

#[tokio::test]
async fn a_unique_value_is_asked_for_at_the_target() {
    let cases: [(&str, Names, Names, Option<&str>); 4] = [
        ("free", &[], &[], Some("ada")),
        ("two are taken", &["ada", "ada1"], &[], Some("ada2")),
        ("all are taken", &["ada", "ada1", "ada2"], &[], None),
        (
            "taken between asking and making",
            &["ada"],
            &["ada"],
            Some("ada1"),
        ),
    ];
    for (name, taken, hidden, chosen) in cases {
        let double = Double::start(with_nicknames(taken, hidden)).await;
        let target = Target::new(double.open("").unwrap().0);
        let mut ada = ada();
        ada.attributes.insert("a".to_owned(), json!("ada"));
        let outcome = export(&choosing(), &target, &ada, false, &stamp()).await;
        let requests = double.requests();
        let made = requests.iter().rfind(|seen| seen.method == "POST");
        match chosen {
            Some(chosen) => {
                assert_eq!(outcome.counted, Counted::Created, "{name}: {outcome:?}");
                assert_eq!(
                    made.unwrap().body.as_ref().unwrap()["nickName"],
                    chosen,
                    "{name}"
                );
            }
            None => {
                assert!(made.is_none(), "{name}");
                let code = outcome.escrow.map(|it| it.code);
                assert_eq!(code, Some(Code::EntryConflict), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn roles_come_from_assignments() {
    let app = application(|text| {
        text.replace(
            r#"{ target = "title","#,
            "{ target = 'roles[primary eq \"True\"].value', expression = 'SingleAppRoleAssignment([appRoleAssignments])' },\n    { target = \"title\",",
        )
    });
    let double = Double::script(vec![
        nobody(),
        nobody(),
        Reply::scim(201, &json!({"id": "u1"})),
    ])
    .await;
    let target = Target::new(double.open("").unwrap().0);
    let mut ada = ada();
    ada.roles = vec!["admin".to_owned()];
    export(&app, &target, &ada, false, &stamp()).await;
    let post = double.requests().pop().unwrap().body.unwrap();
    assert_eq!(post["roles"], json!([{"primary": true, "value": "admin"}]));
}

#[tokio::test]
async fn a_dry_run_reads_and_writes_nothing() {
    let double = Double::start(|seen| match seen.target.contains("filter=") {
        true => nobody(),
        false => Reply::scim(200, &shown_with("displayName", json!("A"))),
    })
    .await;
    let target = Target::dry(double.open("").unwrap().0);
    let (app, stamp) = (application(|text| text), stamp());
    let made = export(&app, &target, &ada(), false, &stamp).await;
    assert_eq!(made.counted, Counted::Created);
    // Another one with the same name would find it.
    let mut other = ada();
    other.key = "k9".to_owned();
    let second = export(&app, &target, &other, false, &stamp).await;
    let code = second.escrow.map(|it| it.code);
    assert_eq!(code, Some(Code::DuplicateSourceEntries), "{second:?}");
    let changed = export(&app, &target, &linked(ada(), MANAGED), false, &stamp).await;
    assert_eq!(changed.counted, Counted::Updated);
    let modified = &changed.record.unwrap().modified_properties;
    let modified = serde_json::to_value(modified).unwrap();
    assert_eq!(
        modified,
        json!([{"displayName": "displayName", "oldValue": "A", "newValue": "Ada"}])
    );
    assert!(double.lines().iter().all(|line| line.starts_with("GET")));
    assert!(target.is_dry() && target.requests() > 3);
}

#[tokio::test]
async fn an_object_that_a_mapping_leaves_out_is_skipped() {
    let app = application(|text| {
        text.replace(
            r#"{ target = "displayName", attribute = "displayName" },"#,
            r#"{ target = "displayName", expression = 'IIF(IsPresent([displayName]), [displayName], IgnoreObjectFlow)' },"#,
        )
    });
    let double = Double::script(vec![]).await;
    let target = Target::new(double.open("").unwrap().0);
    let nameless: Value = json!({"userPrincipalName": "robot@contoso.example"});
    let robot = subject(Kind::User, nameless);
    let outcome = export(&app, &target, &robot, false, &stamp()).await;
    assert_eq!(
        (outcome.counted, outcome.escrow),
        (Counted::Skipped, None),
        "{:?}",
        outcome.detail
    );
    assert_eq!(double.lines(), Vec::<String>::new());
}
