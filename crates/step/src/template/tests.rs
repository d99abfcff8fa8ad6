use super::*;
use serde_json::json;

/// A key with nothing but its name.
fn key() -> Vec<u8> {
    [&11_u32.to_be_bytes()[..], b"ssh-ed25519"].concat()
}

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5";

fn written(templates: &Templates) -> Vec<(&str, Kind, &str, String)> {
    let (Templates::UserTemplates(all) | Templates::HostTemplates(all)) = templates;
    let text = |one: &Template| String::from_utf8(one.content.0.clone()).unwrap();
    all.iter()
        .map(|one| (one.name, one.kind, one.path, text(one)))
        .collect()
}

fn user_files(data: &Value, provisioner: Option<&str>) -> Vec<String> {
    let data = data.as_object().unwrap();
    let templates = user(data, &[key()], provisioner);
    let files = written(&templates);
    files.into_iter().map(|file| file.3).collect()
}

#[test]
fn people_get_what_step_ca_gives_them() {
    let data = json!({"GOOS": "linux", "StepBasePath": "/u/joe/.step", "StepPath": "/u/joe/.step", "StepSSHTemplateVersion": "v2", "User": "joe"});
    let templates = user(data.as_object().unwrap(), &[key()], None);
    assert_eq!(
        written(&templates),
        [
            (
                "config.tpl",
                Kind::Snippet,
                "~/.ssh/config",
                "Host *\n\tInclude \"/u/joe/.step/ssh/includes\"".to_owned()
            ),
            (
                "step_includes.tpl",
                Kind::PrependLine,
                "${STEPPATH}/ssh/includes",
                "Include \"/u/joe/.step/ssh/config\"".to_owned()
            ),
            (
                "step_config.tpl",
                Kind::File,
                "ssh/config",
                "Match exec \"step ssh check-host %h\"\n\tUser joe\n\tUserKnownHostsFile \"/u/joe/.step/ssh/known_hosts\"\n\tProxyCommand step ssh proxycommand %r %h %p\n".to_owned()
            ),
            (
                "known_hosts.tpl",
                Kind::File,
                "ssh/known_hosts",
                format!("@cert-authority * {KEY}\n")
            ),
        ]
    );
    let wire = serde_json::to_value(&templates).unwrap();
    assert_eq!(
        wire["userTemplates"][1],
        json!({"name": "step_includes.tpl", "type": "prepend-line", "path": "${STEPPATH}/ssh/includes", "comment": "#", "content": "SW5jbHVkZSAiL3Uvam9lLy5zdGVwL3NzaC9jb25maWci"})
    );
}

#[test]
fn contexts_provisioners_and_consoles_stand_in_the_commands() {
    let data = json!({"StepPath": "/s", "Context": "ssh.acme", "Console": "true"});
    let [_, _, config, _] = user_files(&data, Some("Acme's 100% SSO"))
        .try_into()
        .unwrap();
    assert_eq!(
        config,
        "Match exec \"step ssh check-host --context ssh.acme %h\"\n\tUserKnownHostsFile \"/s/ssh/known_hosts\"\n\tProxyCommand step ssh proxycommand --context ssh.acme --console --provisioner 'Acme'\\''s 100%% SSO' %r %h %p\n"
    );
    let own = json!({"StepPath": "/s", "Provisioner": "own"});
    let files = user_files(&own, Some("Acme"));
    assert!(files[2].contains("proxycommand --provisioner own %r"));
}

#[test]
fn windows_has_its_own_ways() {
    let data = json!({"GOOS": "windows", "StepPath": r"C:\Users\joe\.step", "StepBasePath": r"C:\Users\joe\.step", "Console": "true"});
    let files = user_files(&data, Some("Acme SSO"));
    assert_eq!(
        files[..3],
        [
            "Host *\n\tInclude \"/Users/joe/.step/ssh/includes\"".to_owned(),
            "Include \"/Users/joe/.step/ssh/config\"".to_owned(),
            "Match exec \"step ssh check-host %h\"\n\tUserKnownHostsFile \"C:\\Users\\joe\\.step\\ssh\\known_hosts\"\n\tProxyCommand C:\\Windows\\System32\\cmd.exe /c step ssh proxycommand --provisioner \"Acme SSO\" %r %h %p\n".to_owned(),
        ]
    );
}

#[test]
fn old_clients_get_a_whole_file_of_includes() {
    let data = json!({"StepPath": "/s"});
    let templates = user(data.as_object().unwrap(), &[], None);
    let files = written(&templates);
    assert_eq!((files[1].1, files[1].2), (Kind::File, "ssh/includes"));
}

#[test]
fn hosts_say_which_key_and_certificate_they_have() {
    let data = json!({"Certificate": "ssh_host_ecdsa_key-cert.pub", "Key": "ssh_host_ecdsa_key"});
    let templates = host(data.as_object().unwrap(), &[key()]).unwrap();
    assert_eq!(
        written(&templates),
        [
            (
                "sshd_config.tpl",
                Kind::Snippet,
                "/etc/ssh/sshd_config",
                "Match all\n\tTrustedUserCAKeys /etc/ssh/ca.pub\n\tHostCertificate /etc/ssh/ssh_host_ecdsa_key-cert.pub\n\tHostKey /etc/ssh/ssh_host_ecdsa_key".to_owned()
            ),
            ("ca.tpl", Kind::Snippet, "/etc/ssh/ca.pub", format!("{KEY}\n")),
        ]
    );
    let several = json!({"Certificate": "a-cert.pub,b-cert.pub", "Key": "a,b"});
    let templates = host(several.as_object().unwrap(), &[key()]).unwrap();
    let sshd = &written(&templates)[0].3;
    assert!(sshd.contains("\tHostCertificate /etc/ssh/b-cert.pub\n\tHostKey /etc/ssh/a\n"));
    for (name, data) in [
        ("Certificate", json!({"Key": "k"})),
        ("Certificate", json!({"Certificate": "", "Key": "k"})),
        ("Key", json!({"Certificate": "c"})),
    ] {
        let missing = host(data.as_object().unwrap(), &[]);
        assert_eq!(missing, Err(Missing(name)), "{data}");
    }
    assert_eq!(
        Missing("Certificate").to_string(),
        "required variable 'Certificate' is missing, please use `--set <key=value>` flag"
    );
}
