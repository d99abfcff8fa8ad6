//! The pages on which one chooses how to sign in.

use super::world::{World, html};
use crate::browser::Browser;
use serde_json::json;

#[tokio::test]
async fn one_team_has_its_providers_on_the_first_page() {
    let world = World::start().await;
    let mut browser = Browser::new(&world.server);
    for path in [
        "/sign-in?return_to=/console/users",
        "/t/MAIN?return_to=/console/users",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{page}");
        let html = html(&page);
        assert!(html.contains("Contoso Entra"), "{html}");
        assert!(
            html.contains(&format!("connection={}", world.directory_id)),
            "{html}"
        );
        assert!(html.contains("return_to=%2Fconsole%2Fusers"), "{html}");
        assert!(!html.contains("<form"), "no question for the address");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
    assert_eq!(browser.get("/t/nobody").await.status, 404);
    world.server.stop().await;
}

#[tokio::test]
async fn several_teams_are_told_apart_by_the_domain_of_an_address() {
    let world = World::start().await;
    world.connect(json!({"domains": ["contoso.example"]})).await;
    let made = world
        .server
        .admin()
        .post(
            "/directories",
            json!({"name": "Fabrikam", "team": "fabrikam"}),
        )
        .await;
    assert_eq!(made.status, 201, "{made}");
    let path = format!("/directories/{}/connection", made.id());
    let other =
        world.declaration(&json!({"label": "Fabrikam Okta", "domains": ["fabrikam.example"]}));
    assert_eq!(world.server.admin().put(&path, other).await.status, 200);

    let mut browser = Browser::new(&world.server);
    for (query, contoso, fabrikam) in [
        ("", false, false),
        ("?email=ada@CONTOSO.example", true, false),
        ("?email=bob@fabrikam.example", false, true),
        ("?email=eve@evil.example", false, false),
    ] {
        let page = browser.get(&format!("/sign-in{query}")).await;
        let html = html(&page);
        assert!(html.contains("<form"), "{query}: it asks for the address");
        assert_eq!(html.contains("Contoso Entra"), contoso, "{query}");
        assert_eq!(html.contains("Fabrikam Okta"), fabrikam, "{query}");
        assert_eq!(
            html.contains("typing mistake"),
            query.contains("evil"),
            "{query}"
        );
    }
    let page = browser.get("/t/fabrikam").await;
    assert!(html(&page).contains("Fabrikam Okta") && !html(&page).contains("Contoso Entra"));
    world.server.stop().await;
}
