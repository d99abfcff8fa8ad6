//! A page offers nothing that would be refused.

use super::{group, made, native, person};
use crate::browser::Browser;
use crate::sso::World;
use http::Method;
use portreeve_directory::permissions::Level;
use portreeve_server::pages;
use portreeve_testbed::TestServer;
use serde_json::{Value, json};

/// Where the forms of a page post to that have a button.
fn forms(page: &str) -> Vec<&str> {
    let forms = page.split("<form ").skip(1).filter_map(|form| {
        let (form, _) = form.split_once("</form>")?;
        let (tag, inside) = form.split_once('>')?;
        let (_, action) = tag.split_once("action=\"")?;
        let (action, _) = action.split_once('"')?;
        let sends = tag.contains("method=\"post\"") && inside.contains("<button");
        sends.then(|| action.split('#').next().unwrap_or(action))
    });
    forms.collect()
}

/// Whether an address is one of those that a path with `{parameters}` stands for.
fn is_of(address: &str, path: &str) -> bool {
    let (address, path) = (address.split('/'), path.split('/'));
    address.clone().count() == path.clone().count()
        && address
            .zip(path)
            .all(|(one, other)| one == other || other.starts_with('{'))
}

/// Something of everything that concerns visitors; the addresses of its pages.
async fn reception(server: &TestServer) -> [String; 3] {
    let directory = json!({"name": "Visitors", "provider": "native", "visitors": true});
    let directory = made(server, "/directories", directory).await;
    let eve = json!({"user_name": "eve"});
    let eve = made(server, &format!("/directories/{directory}/users"), eve).await;
    let location = json!({"name": "Vienna", "webhook": "https://hooks.example"});
    let location = made(server, "/visit-locations", location).await;
    let devices = format!("/visit-locations/{location}/devices");
    made(server, &devices, json!({"name": "Tablet"})).await;
    let visit = json!({"name": "Ivo", "location": "Vienna", "expected_at": "2026-01-05T09:30:00Z"});
    let visit = made(server, "/visits", visit).await;
    [
        format!("/console/visitors/people/{directory}/{eve}"),
        format!("/console/visitors/locations/{location}"),
        format!("/console/visitors/visits/{visit}"),
    ]
}

async fn come_in(world: &World, ada: &mut Browser) {
    ada.origin = format!("http://{}", world.server.address());
    let back = world.sign_in(ada, "/console").await;
    assert_eq!(back.status, 303, "{back}");
}

/// Something of everything in the team; the addresses of its pages.
async fn furnish(world: &World, ada_id: &str) -> Vec<String> {
    let (server, fed) = (&world.server, &world.directory_id);
    let admin = server.admin();
    let bob = person(&world.people, "bob", true).await;
    let sales = group(&world.people, "Sales", &[&bob]).await;
    admin
        .post(
            &format!("/directories/{fed}/groups/{sales}/members"),
            json!({"id": ada_id}),
        )
        .await;
    let staff = native(server).await;
    let own = json!({"user_name": "carol"});
    let carol = admin
        .post(&format!("/directories/{staff}/users"), own)
        .await;
    let team = json!({"display_name": "team"});
    let team = admin
        .post(&format!("/directories/{staff}/groups"), team)
        .await;
    let account = json!({"name": "backup", "permissions": ["user:read"]});
    let account = admin.post("/service-accounts", account).await;
    let token = json!({"service_account": account.id(), "permissions": ["user:read"]});
    assert_eq!(admin.post("/api-tokens", token).await.status, 201);
    let host = json!({"name": "web-1", "tags": {"role": "web"}});
    let host = admin.post("/hosts", host).await;
    let grant = json!({"group": sales, "hosts": "role=web"});
    let grant = admin.post("/grants", grant).await;
    assert_eq!((host.status, grant.status), (201, 201), "{host} {grant}");
    Browser::of_owner(server, "olga").await;
    let of = |directory: &str, kind: &str, id: &str| format!("/console/{kind}/{directory}/{id}");
    let mut addresses = vec![
        "/console/logs?category=AUTH".to_owned(),
        of(fed, "users", &bob),
        of(fed, "users", ada_id),
        of(fed, "groups", &sales),
        of(&staff, "users", carol.id()),
        of(&staff, "groups", team.id()),
        format!("/console/hosts/{}", host.id()),
        format!("/console/access/{}", grant.id()),
    ];
    addresses.extend(reception(server).await);
    for directory in [fed, &staff] {
        addresses.push(format!("/console/directories/{directory}"));
        for tab in ["tokens", "requests", "accounts", "rules", "sign-in"] {
            addresses.push(format!("/console/directories/{directory}/{tab}"));
        }
    }
    let plain = pages()
        .into_iter()
        .filter(|(method, path, _)| method == Method::GET && !path.contains('{'));
    addresses.extend(plain.map(|(_, path, _)| path.to_owned()));
    addresses
}

#[tokio::test]
async fn every_form_of_every_page_is_one_that_the_level_may_send() {
    let world = World::start().await;
    let (server, fed) = (&world.server, &world.directory_id);
    let admin = server.admin();
    let found = admin.get(&format!("/directories/{fed}/users")).await;
    let ada_id = found.json[0]["id"].as_str().unwrap().to_owned();
    let addresses = furnish(&world, &ada_id).await;
    let mut ada = Browser::new(server);
    come_in(&world, &mut ada).await;
    let mut offered = Vec::new();
    for &level in Level::ALL {
        let path = format!("/directories/{fed}/users/{ada_id}");
        assert_eq!(
            admin.patch(&path, json!({"level": level})).await.status,
            200
        );
        let mut count = 0;
        for address in &addresses {
            let answer = ada.get(address).await;
            let Value::String(page) = &answer.json else {
                continue;
            };
            for action in forms(page) {
                if action.starts_with("/auth/") {
                    continue;
                }
                let route = pages()
                    .into_iter()
                    .find(|(method, path, _)| method == Method::POST && is_of(action, path));
                let (_, path, needs) =
                    route.unwrap_or_else(|| panic!("{address}: nothing answers {action}"));
                assert!(
                    level.permissions().has(needs),
                    "{level:?}: {address} offers {path}, which needs {needs}"
                );
                count += 1;
            }
        }
        offered.push((level, count));
    }
    let count = |wanted: Level| {
        offered
            .iter()
            .find(|(level, _)| *level == wanted)
            .unwrap()
            .1
    };
    assert!(count(Level::Owner) > count(Level::Admin), "{offered:?}");
    assert!(
        count(Level::Admin) > 30 && count(Level::Auditor) < 5,
        "{offered:?}"
    );
}
