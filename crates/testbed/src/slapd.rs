//! A real LDAP server: OpenLDAP's slapd from the distribution, in a folder of its own, on free ports.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ldap3::{Ldap, LdapConnAsync, Mod};
use tempfile::TempDir;

/// The suffix of the directory: below it are `ou=people` and `ou=groups`.
pub const BASE: &str = "dc=contoso,dc=example";
/// Who may do everything, with the password `secret`.
pub const ADMIN: &str = "cn=admin,dc=contoso,dc=example";

/// Attributes that Active Directory has by itself, so that slapd can pass for it.
const MICROSOFT: &str = "
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.115 NAME 'invocationId' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.120 NAME 'uSNChanged' EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.48 NAME 'isDeleted' EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.782 NAME 'objectCategory' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1 NAME 'supportedCapabilities' SYNTAX 1.3.6.1.4.1.1466.115.121.1.38 )
attributetype ( 1.3.6.1.4.1.99999.2 NAME 'highestCommittedUSN' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )
attributetype ( 1.3.6.1.4.1.99999.3 NAME 'dsServiceName' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP top AUXILIARY MAY ( objectGUID $ uSNChanged $ isDeleted $ userAccountControl $ objectCategory $ invocationId ) )
objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top AUXILIARY MAY ( objectGUID $ uSNChanged $ isDeleted ) )
";

/// A running server. It ends with its owner.
pub struct Slapd {
    folder: TempDir,
    process: Child,
    port: u16,
    tls_port: u16,
}

impl Slapd {
    /// An empty directory with people, groups and an administrator.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        certificates(folder.path());
        std::fs::create_dir(folder.path().join("db")).expect("a folder");
        write(folder.path(), "microsoft.schema", MICROSOFT);
        write(folder.path(), "root.ldif", "dn:\n");
        let (process, port, tls_port) = (0..5)
            .find_map(|_| spawn(folder.path(), free_port(), free_port()))
            .expect("slapd starts; scripts/setup test installs it");
        let slapd = Self {
            folder,
            process,
            port,
            tls_port,
        };
        let mut admin = slapd.admin().await;
        add(
            &mut admin,
            BASE,
            &[
                ("objectClass", "dcObject"),
                ("objectClass", "organization"),
                ("o", "Contoso"),
            ],
        )
        .await;
        for unit in ["people", "groups"] {
            let dn = format!("ou={unit},{BASE}");
            add(&mut admin, &dn, &[("objectClass", "organizationalUnit")]).await;
        }
        slapd
    }

    /// Ends the server and starts it again with what its root entry is to say.
    pub fn restart(&mut self, root: &str) {
        self.stop();
        write(self.folder.path(), "root.ldif", &format!("dn:\n{root}\n"));
        let (process, ..) =
            spawn(self.folder.path(), self.port, self.tls_port).expect("slapd starts again");
        self.process = process;
    }

    /// Ends the server.
    pub fn stop(&mut self) {
        self.process.kill().expect("slapd runs");
        self.process.wait().expect("slapd ends");
    }

    /// Where it listens without encryption.
    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// Where it listens with TLS.
    pub fn tls_url(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.tls_port)
    }

    /// The authority its certificate comes from.
    pub fn ca_file(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    /// A connection that may do everything.
    pub async fn admin(&self) -> Ldap {
        let (driver, mut ldap) = LdapConnAsync::new(&self.url())
            .await
            .expect("slapd listens");
        tokio::spawn(async move { driver.drive().await });
        let bound = ldap.simple_bind(ADMIN, "secret").await;
        bound
            .and_then(ldap3::LdapResult::success)
            .expect("the administrator is let in");
        ldap
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Adds an entry.
pub async fn add(ldap: &mut Ldap, dn: &str, attributes: &[(&str, &str)]) {
    let bytes: Vec<_> = attributes
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    add_bytes(ldap, dn, &bytes).await;
}

/// Adds an entry with values that need not be text.
pub async fn add_bytes(ldap: &mut Ldap, dn: &str, attributes: &[(&str, &[u8])]) {
    let mut grouped: Vec<(Vec<u8>, HashSet<Vec<u8>>)> = Vec::new();
    for (name, value) in attributes {
        match grouped
            .iter_mut()
            .find(|(known, _)| known == name.as_bytes())
        {
            Some((_, values)) => drop(values.insert(value.to_vec())),
            None => grouped.push((name.as_bytes().to_vec(), HashSet::from([value.to_vec()]))),
        }
    }
    let result = ldap.add(dn, grouped).await.expect("slapd answers");
    assert_eq!(result.rc, 0, "adding {dn}: {}", result.text);
}

/// Replaces the values of an attribute; none removes it.
pub async fn set(ldap: &mut Ldap, dn: &str, attribute: &str, values: &[&str]) {
    let change = Mod::Replace(attribute, values.iter().copied().collect());
    let result = ldap.modify(dn, vec![change]).await.expect("slapd answers");
    assert_eq!(result.rc, 0, "changing {dn}: {}", result.text);
}

/// Starts a server and waits until it says that it has; `None` if it does not, for want of a port.
fn spawn(folder: &Path, port: u16, tls_port: u16) -> Option<(Child, u16, u16)> {
    let place = folder.display();
    let config = format!(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\ninclude /etc/ldap/schema/nis.schema\n\
         include {place}/microsoft.schema\nrootDSE {place}/root.ldif\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload memberof\n\
         TLSCACertificateFile {place}/ca.pem\nTLSCertificateFile {place}/server.pem\nTLSCertificateKeyFile {place}/server.key\n\
         sizelimit 4\ndatabase mdb\nmaxsize 104857600\ndbnosync\nsuffix \"{BASE}\"\nrootdn \"{ADMIN}\"\nrootpw secret\n\
         directory {place}/db\noverlay memberof\n\
         access to attrs=userPassword by anonymous auth\naccess to attrs=entryUUID by dn.base=\"uid=blind,ou=people,{BASE}\" none by * read\n\
         access to attrs=entryCSN by dn.base=\"uid=old,ou=people,{BASE}\" none by * read\n\
         access to * by * read\n"
    );
    write(folder, "slapd.conf", &config);
    let mut process = Command::new("/usr/sbin/slapd")
        .arg("-f")
        .arg(folder.join("slapd.conf"))
        .arg("-h")
        .arg(format!(
            "ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}"
        ))
        .args(["-d", "none"])
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut said = BufReader::new(process.stderr.take()?).lines();
    let started = said
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.contains("slapd starting"));
    if !started {
        let _ = process.wait();
        return None;
    }
    // It would stop when nobody hears what it has to say.
    std::thread::spawn(move || said.for_each(drop));
    // It listens a moment after it has said so.
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if process.try_wait().ok()?.is_some() {
            return None;
        }
        std::thread::yield_now();
    }
    Some((process, port, tls_port))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// An authority, and a certificate of it for this machine.
fn certificates(folder: &Path) {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().expect("a key");
    let certificate = authority
        .self_signed(&authority_key)
        .expect("a certificate");
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let server = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address");
    let server_key = rcgen::KeyPair::generate().expect("a key");
    let signed = server
        .signed_by(&server_key, &issuer)
        .expect("a certificate");
    write(folder, "ca.pem", &certificate.pem());
    write(folder, "server.pem", &signed.pem());
    write(folder, "server.key", &server_key.serialize_pem());
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("the test's own folder");
}
