use serde_json::json;

use super::*;

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

#[test]
fn each_name_of_entras_mappings_is_read_from_the_property_behind_it() {
    let ada = object(json!({
        "id": "1",
        "userPrincipalName": "ada_fabrikam.example#EXT#@contoso.example",
        "officeLocation": "19/2109",
        "businessPhones": ["+1 309 555 0104", "+1 309 555 0105"],
        "mobilePhone": "+1 309 555 0106",
        "faxNumber": "+1 309 555 0107",
        "imAddresses": [],
        "onPremisesExtensionAttributes": {"extensionAttribute1": "one", "extensionAttribute2": null},
        "employeeOrgData": {"division": "Engines", "costCenter": "42"},
        "proxyAddresses": ["smtp:ada@contoso.example"],
        "employeeHireDate": "2026-01-05T00:00:00Z",
        "accountEnabled": true,
        "jobTitle": null,
        "extension_0123_badge": "B7",
        "assignedLicenses": [{"skuId": "x"}],
        "manager": {"@odata.type": "#microsoft.graph.user", "id": "2"}
    }));
    let cases = [
        ("objectId", Some(json!("1"))),
        ("id", Some(json!("1"))),
        ("userPrincipalName", Some(json!("ada@fabrikam.example"))),
        (
            "originalUserPrincipalName",
            Some(json!("ada_fabrikam.example#EXT#@contoso.example")),
        ),
        ("physicalDeliveryOfficeName", Some(json!("19/2109"))),
        ("officeLocation", Some(json!("19/2109"))),
        ("PhysicalDeliveryOfficeName", Some(json!("19/2109"))),
        ("telephoneNumber", Some(json!("+1 309 555 0104"))),
        (
            "businessPhones",
            Some(json!(["+1 309 555 0104", "+1 309 555 0105"])),
        ),
        ("mobile", Some(json!("+1 309 555 0106"))),
        ("facsimileTelephoneNumber", Some(json!("+1 309 555 0107"))),
        ("sipProxyAddress", Some(Value::Null)),
        ("imAddresses", Some(Value::Null)),
        ("extensionAttribute1", Some(json!("one"))),
        ("extensionAttribute2", Some(Value::Null)),
        ("extensionAttribute15", Some(Value::Null)),
        ("employeeOrgData.division", Some(json!("Engines"))),
        ("proxyAddresses", Some(json!(["smtp:ada@contoso.example"]))),
        ("employeeHireDate", Some(json!("2026-01-05T00:00:00Z"))),
        ("accountEnabled", Some(json!(true))),
        ("jobTitle", Some(Value::Null)),
        ("extension_0123_badge", Some(json!("B7"))),
        ("assignedLicenses", Some(Value::Null)),
        ("manager", Some(json!("2"))),
        ("department", None),
        ("extensionAttribute16", None),
    ];
    for (name, expected) in cases {
        let attributes = Attributes::new(Kind::User, &[name.to_owned()]);
        assert_eq!(attributes.read(&ada).get(name), expected.as_ref(), "{name}");
    }
}

#[test]
fn a_change_of_manager_tells_the_new_one_or_that_there_is_none() {
    let user = |id: &str| json!({"@odata.type": "#microsoft.graph.user", "id": id});
    let left = |id: &str| json!({"@odata.type": "#microsoft.graph.user", "id": id, "@removed": {"reason": "deleted"}});
    let contact = json!({"@odata.type": "#microsoft.graph.orgContact", "id": "9"});
    let cases = [
        ("not told", json!({}), None),
        (
            "the first one",
            json!({"manager@delta": [user("2")]}),
            Some(json!("2")),
        ),
        (
            "gone",
            json!({"manager@delta": [left("2")]}),
            Some(Value::Null),
        ),
        (
            "another one",
            json!({"manager@delta": [left("2"), user("3")]}),
            Some(json!("3")),
        ),
        (
            "another one, told first",
            json!({"manager@delta": [user("3"), left("2")]}),
            Some(json!("3")),
        ),
        (
            "a contact, who is no user",
            json!({"manager@delta": [contact]}),
            Some(Value::Null),
        ),
        ("none", json!({"manager": null}), Some(Value::Null)),
    ];
    let attributes = Attributes::new(Kind::User, &["manager".to_owned()]);
    for (name, told, expected) in cases {
        let read = attributes.read(&object(told));
        assert_eq!(read.get("manager"), expected.as_ref(), "{name}");
    }
}

#[test]
fn what_is_selected_is_what_is_used_and_each_property_once() {
    let names = [
        "mobile",
        "mobilePhone",
        "extensionAttribute1",
        "extensionAttribute2",
        "manager",
        "IsSoftDeleted",
    ];
    let users = Attributes::new(Kind::User, &names.map(str::to_owned));
    let plain =
        "id,accountEnabled,userPrincipalName,displayName,mobilePhone,onPremisesExtensionAttributes";
    assert_eq!(users.tracked(), format!("{plain},manager"));
    assert_eq!(users.selected(), plain);
    assert_eq!(users.expanded().as_deref(), Some("manager($select=id)"));

    let groups = Attributes::new(Kind::Group, &["objectId", "members"].map(str::to_owned));
    assert_eq!(groups.tracked(), "id,displayName,securityEnabled,members");
    assert_eq!(groups.selected(), "id,displayName,securityEnabled");
    assert_eq!(groups.expanded(), None);
}

#[test]
fn a_filter_is_written_in_odata_and_no_value_can_break_out_of_it() {
    let cases = [
        (
            "mail",
            "ada@contoso.example",
            Ok("mail eq 'ada@contoso.example'"),
        ),
        ("displayName", "O'Neil", Ok("displayName eq 'O''Neil'")),
        (
            "displayName",
            "' or 1 eq 1 or 'x' eq '",
            Ok("displayName eq ''' or 1 eq 1 or ''x'' eq '''"),
        ),
        ("objectId", "1", Ok("id eq '1'")),
        ("accountEnabled", "True", Ok("accountEnabled eq true")),
        (
            "telephoneNumber",
            "+1",
            Ok("businessPhones/any(one:one eq '+1')"),
        ),
        (
            "proxyAddresses",
            "smtp:a",
            Ok("proxyAddresses/any(one:one eq 'smtp:a')"),
        ),
        (
            "extensionAttribute3",
            "x",
            Ok("onPremisesExtensionAttributes/extensionAttribute3 eq 'x'"),
        ),
        (
            "userPrincipalName",
            "ada@fabrikam.example",
            Ok(
                "userPrincipalName eq 'ada@fabrikam.example' or startswith(userPrincipalName,'ada_fabrikam.example#EXT#')",
            ),
        ),
        ("userPrincipalName", "ada", Ok("userPrincipalName eq 'ada'")),
        ("manager", "2", Err(())),
    ];
    for (name, value, expected) in cases {
        let filter = Attributes::filter(name, value);
        assert_eq!(
            filter.as_deref().map_err(|_| ()),
            expected,
            "{name} {value}"
        );
    }
}
