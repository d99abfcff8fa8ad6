"""Writes the records of so many people, from a number on, as nss-systemd reads them."""

import os
import sys

first, people = int(sys.argv[1]), int(sys.argv[2])
os.makedirs("/run/userdb")
os.chdir("/run/userdb")


def put(kind, name, number, text):
    with open(f"{name}.{kind}", "w") as file:
        file.write(text)
    os.symlink(f"{name}.{kind}", f"{number}.{kind}")


def group(name, gid):
    put("group", name, gid, f'{{"groupName":"{name}","gid":{gid}}}')


teams = ("portreeve", "web-ops")
for number, team in enumerate(teams):
    group(team, first - 2 + number)
for number in range(people):
    name, uid = f"person-{number:05}", first + number
    names = f'"userName":"{name}","uid":{uid},"gid":{uid},"realName":"A Person of Some Length"'
    put("user", name, uid, f'{{{names},"homeDirectory":"/srv/{name}","shell":"/bin/bash","disposition":"regular"}}')
    group(name, uid)
    for team in teams:
        with open(f"{name}:{team}.membership", "w") as file:
            file.write("{}")
