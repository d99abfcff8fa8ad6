//! What is particular to Active Directory, on a slapd that passes for one.

use portreeve_provisioning::source::{Kind, Place};
use serde_json::json;

use super::town::{Ear, Town, group, person};
use portreeve_testbed::slapd::{BASE, add_bytes, set};

const GUID: [u8; 16] = [0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// What a domain controller's root entry says, after so many updates.
fn controller(invocation: &str, updates: u32) -> String {
    format!(
        "supportedCapabilities: 1.2.840.113556.1.4.800\nsupportedControl: 1.2.840.113556.1.4.417\n\
         highestCommittedUSN: {updates}\ndsServiceName: uid={invocation},ou=people,{BASE}"
    )
}

impl Town {
    /// Three people with GUIDs and a group as Active Directory would have them, on a server that passes for one.
    async fn microsoft() -> Self {
        let mut town = Self::new().await;
        for (at, name) in ["dc1", "dc2"].into_iter().enumerate() {
            let id = [at as u8; 16];
            let attributes: [(&str, &[u8]); 5] = [
                ("objectClass", b"inetOrgPerson"),
                ("objectClass", b"user"),
                ("cn", name.as_bytes()),
                ("sn", name.as_bytes()),
                ("invocationId", &id),
            ];
            add_bytes(&mut town.admin, &person(name), &attributes).await;
        }
        for (at, uid) in ["ada", "bob", "cy"].into_iter().enumerate() {
            let mut guid = GUID;
            guid[15] = at as u8;
            let attributes: [(&str, &[u8]); 8] = [
                ("objectClass", b"inetOrgPerson"),
                ("objectClass", b"user"),
                ("cn", uid.as_bytes()),
                ("sn", uid.as_bytes()),
                ("objectGUID", &guid),
                ("objectCategory", b"person"),
                ("userAccountControl", b"512"),
                ("uSNChanged", b"100"),
            ];
            add_bytes(
                &mut town.admin,
                &format!("uid={uid},ou=groups,{BASE}"),
                &attributes,
            )
            .await;
        }
        let member = format!("uid=ada,ou=groups,{BASE}");
        let attributes: [(&str, &[u8]); 5] = [
            ("objectClass", b"groupOfNames"),
            ("objectClass", b"group"),
            ("member", member.as_bytes()),
            ("objectGUID", &[7; 16]),
            ("uSNChanged", b"100"),
        ];
        add_bytes(&mut town.admin, &group("domain"), &attributes).await;
        town.reboot("dc1", 100).await;
        town
    }

    async fn reboot(&mut self, invocation: &str, updates: u32) {
        self.slapd.restart(&controller(invocation, updates));
        self.admin = self.slapd.admin().await;
    }

    async fn update(&mut self, uid: &str, attribute: &str, values: &[&str], updates: u32) {
        let dn = format!("uid={uid},ou=groups,{BASE}");
        set(&mut self.admin, &dn, attribute, values).await;
        set(&mut self.admin, &dn, "uSNChanged", &[&updates.to_string()]).await;
    }
}

#[tokio::test]
async fn active_directory_is_read_by_guid_and_update_sequence() {
    let mut town = Town::microsoft().await;
    let source = town.source("");
    let said = source.check().await.unwrap();
    assert!(
        said.starts_with("Active Directory at")
            && said.ends_with("3 users and 1 groups; changes are found by uSNChanged"),
        "{said}"
    );
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(told, ["ada", "bob", "cy", "domain", "domain +ada"]);
    let key = "030201ff-0504-0706-0809-0a0b0c0d0e00";
    let ada = source.one(Kind::User, key).await.unwrap().unwrap();
    assert_eq!(
        (&ada.attributes["uid"], &ada.attributes["accountEnabled"]),
        (&json!("ada"), &json!(true))
    );

    town.update("bob", "userAccountControl", &["514"], 101)
        .await;
    assert_eq!(ear.hear(&source, &mut place).await, ["bob"]);
    let bob = source
        .find(Kind::User, "uid", "bob")
        .await
        .unwrap()
        .remove(0);
    assert_eq!(bob.attributes["accountEnabled"], json!(false));

    // Another controller has other numbers; the same people are no news.
    town.reboot("dc2", 9).await;
    assert_eq!(ear.hear(&source, &mut place).await, [""; 0]);
}

#[tokio::test]
async fn active_directory_s_deleted_objects_spare_the_listing() {
    let mut town = Town::microsoft().await;
    let source = town.source("deletions = \"deleted-objects\"\n");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    ear.hear(&source, &mut place).await;

    town.update("bob", "title", &["Builder"], 101).await;
    town.update("cy", "objectCategory", &[], 102).await;
    town.update("cy", "isDeleted", &["TRUE"], 103).await;
    let member = format!("uid=bob,ou=groups,{BASE}");
    set(&mut town.admin, &group("domain"), "member", &[&member]).await;
    // Not above the last sequence number, so a listing alone would find it.
    town.update("ada", "title", &["Countess"], 99).await;
    town.reboot("dc1", 103).await;
    assert_eq!(ear.hear(&source, &mut place).await, ["bob", "cy is gone"]);

    set(&mut town.admin, &group("domain"), "uSNChanged", &["104"]).await;
    town.reboot("dc1", 104).await;
    assert_eq!(
        ear.hear(&source, &mut place).await,
        ["domain +bob", "domain -ada"]
    );

    // Another controller, or the same one restored from a backup: everything is listed again.
    town.reboot("dc2", 200).await;
    assert_eq!(ear.hear(&source, &mut place).await, ["ada"]);
}
