"""Small logs, written as they are distributed."""

from __future__ import annotations

import json
from pathlib import Path

RATINGS = [("1", "10", 4.0, 100), ("1", "20", 3.0, 200), ("1", "30", 5.0, 200), ("2", "10", 2.0, 150), ("2", "30", 4.5, 400)]


def movielens(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = "\n".join(f"{user},{item},{rating},{time}" for user, item, rating, time in RATINGS)
    (folder / "ratings.csv").write_text(f"userId,movieId,rating,timestamp\n{rows}\n")
    films = '10,Toy Story (1995),Adventure|Comedy\n20,"Heat, The (1995)",Crime\n30,Alone,(no genres listed)\n'
    (folder / "movies.csv").write_text(f"movieId,title,genres\n{films}")
    return folder


def movielens_dat(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ratings.dat").write_text("\n".join(f"{u}::{i}::{int(r)}::{t}" for u, i, r, t in RATINGS) + "\n")
    (folder / "movies.dat").write_text("10::Toy Story (1995)::Adventure|Comedy\n20::Café::Crime\n30::Alone::Drama\n", encoding="latin-1")
    (folder / "users.dat").write_text("1::F::25::10::48067\n2::M::56::16::70072\n")
    return folder


def movielens_100k(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "u.data").write_text("\n".join(f"{u}\t{i}\t{int(r)}\t{t}" for u, i, r, t in RATINGS) + "\n")
    flags = "|".join("1" if i in (1, 5) else "0" for i in range(19))
    (folder / "u.item").write_text("\n".join(f"{i}|Film {i}|01-Jan-1995||http|{flags}" for i in (10, 20, 30)) + "\n")
    (folder / "u.user").write_text("1|24|M|technician|85711\n2|53|F|other|94043\n")
    return folder


def s3rec(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Soap.txt").write_text("1 5 6 7 8\n2 6 7 9\n3 5 9\n")
    (folder / "Soap_item2attributes.json").write_text(json.dumps({"5": [1, 2], "6": [2]}))
    return folder


def open_bandit(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"user_feature_{i}" for i in range(4)]
    lines = [",timestamp,item_id,position,click,propensity_score," + ",".join(names)]
    for i in range(8):
        cohort = "aa,bb,cc,dd" if i % 2 else "aa,bb,cc,ee"
        lines.append(f"{i},2019-11-24 00:0{i}:03.979311+00:00,{i % 3},1,{int(i > 1)},0.5,{cohort}")
    (folder / f"{folder.name}.csv").write_text("\n".join(lines) + "\n")
    (folder / "item_context.csv").write_text(",item_id,item_feature_0,item_feature_1\n0,0,-0.1,x\n1,1,0.2,y\n2,2,0.3,x\n")
    return folder
