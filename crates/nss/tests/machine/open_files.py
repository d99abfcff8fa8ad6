"""Says which files of the module are open, and when."""

import ctypes
import os
import pwd

FOLDER = "/run/portreeve-host"


def opened():
    links = []
    for number in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:
            pass  # That of the folder itself.
    return [link for link in links if link.startswith(FOLDER)]


pwd.getpwnam("ada")
pwd.getpwall()
os.getgrouplist("ada", 70002)
print("after questions:", opened())

libc = ctypes.CDLL("libc.so.6")
libc.setpwent()
with open("/etc/passwd") as file:
    local = len(file.readlines())
for _ in range(local + 1):
    libc.getpwent()
print("in an enumeration:", opened(), flush=True)
os.execv("/bin/sh", ["sh", "-c", f"echo in a program: $(readlink /proc/$$/fd/* | grep -c ^{FOLDER})"])
