//! What the module shows to the programs that it is loaded into.

use std::env;
use std::process::Command;

/// All names of a program are in one room: these are those that the C library asks for, and there are no others.
const FUNCTIONS: [&str; 12] = [
    "_nss_portreeve_endgrent",
    "_nss_portreeve_endpwent",
    "_nss_portreeve_getgrent_r",
    "_nss_portreeve_getgrgid_r",
    "_nss_portreeve_getgrnam_r",
    "_nss_portreeve_getpwent_r",
    "_nss_portreeve_getpwnam_r",
    "_nss_portreeve_getpwuid_r",
    "_nss_portreeve_getspnam_r",
    "_nss_portreeve_initgroups_dyn",
    "_nss_portreeve_setgrent",
    "_nss_portreeve_setpwent",
];

#[test]
fn the_module_has_its_functions_and_nothing_else() {
    let module = env::current_exe()
        .unwrap()
        .with_file_name("libnss_portreeve.so");
    let listed = Command::new("nm")
        .args(["--dynamic", "--defined-only", "--format=just-symbols"])
        .arg(module)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.lines().collect::<Vec<_>>(), FUNCTIONS);
}
