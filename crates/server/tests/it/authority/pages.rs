//! Certificates on the pages of the console: found, shown and revoked there.

use super::*;

#[tokio::test]
async fn a_certificate_is_found_and_revoked_in_the_console() {
    let town = Town::with_grant().await;
    let issued = town.certificate().await;
    let mut owner = Browser::of_owner(town.server(), "olga").await;
    let path = format!("/console/certificates/{}", issued.serial);
    let fingerprint = town
        .admin()
        .get(&format!("/certificates/{}", issued.serial))
        .await;
    let key = fingerprint.text("fingerprint").replace('+', "%2B");
    for (name, query, is_shown) in [
        ("all", String::new(), true),
        (
            "by whom it is for",
            "q=ada%40contoso.example".to_owned(),
            true,
        ),
        ("by serial number", format!("q={}", issued.serial), true),
        ("by key", format!("q={key}"), true),
        ("of hosts", "kind=host".to_owned(), false),
        ("revoked", "state=revoked".to_owned(), false),
    ] {
        let page = owner.page(&format!("/console/certificates?{query}")).await;
        assert_eq!(page.contains(&path), is_shown, "{name}: {page}");
    }
    let shown = owner.page(&path).await;
    let own = format!("ada, u:{}", town.ada_id);
    for part in ["Live", "The grant of web-ops", &own, "Revoke…"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }

    let action = format!("{path}/revoke");
    let lines = [("reason", "lost\nlaptop")];
    let again = owner.not_done(&action, &lines).await;
    assert!(again.contains("Live"), "{again}");
    assert!(!town.is_revoked(&issued).await);
    let revoked = owner.done(&action, &[("reason", "lost laptop")]).await;
    for part in ["The certificate is revoked.", "lost laptop", "Revoked"] {
        assert!(revoked.contains(part), "{part}: {revoked}");
    }
    assert!(!revoked.contains("Revoke…"), "once is enough: {revoked}");
    assert!(town.is_revoked(&issued).await);
    let event = &events(town.admin(), "SSH_CERT").await[0];
    assert_eq!(event["action"], "revoke", "{event}");
    assert_eq!(event["actor"]["type"], "owner", "{event}");
    town.world.server.stop().await;
}
