"""Invented data files as survey tools and statistics programs write them."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

AGREEMENT = (
    "Strongly disagree",
    "Disagree",
    "Neither agree nor disagree",
    "Agree",
    "Strongly agree",
)
STEM = "How much do you agree or disagree with each of these statements?"
STATEMENTS = (
    "I lie awake worrying, even when I am tired.",
    "I wake up rested.",
    "I fall asleep easily.",
    "I dream every night.",
    "I need an alarm to get up.",
    "I feel sleepy during the day.",
    "To show that you are paying attention, please select Agree.",
    "I look at my phone in bed.",
    "I drink coffee in the evening.",
    "My bedroom is quiet.",
    "I sleep longer on weekends.",
)
COUNTRIES = (
    "Germany", "Türkiye", "United Kingdom", "France", "Spain", "Italy", "Poland", "Norway",
    "Sweden", "Chile", "Japan", "India", "South Africa", "Kenya",
)  # fmt: skip
_KEPT = {
    "StartDate": "Start Date", "EndDate": "End Date", "Status": "Response Type",
    "IPAddress": "IP Address", "Progress": "Progress",
    "Duration (in seconds)": "Duration (in seconds)", "Finished": "Finished",
    "RecordedDate": "Recorded Date", "ResponseId": "Response ID",
    "RecipientLastName": "Recipient Last Name", "RecipientFirstName": "Recipient First Name",
    "RecipientEmail": "Recipient Email", "LocationLatitude": "Location Latitude",
    "DistributionChannel": "Distribution Channel", "UserLanguage": "User Language",
}  # fmt: skip
_ASKED = {
    "Q1": "Do you agree to take part?",
    **{f"Q2_{n}": f"{STEM} - {one}" for n, one in enumerate(STATEMENTS, start=1)},
    "Q3": "How old are you?",
    "Q4": "What is your gender? - Selected Choice",
    "Q4_5_TEXT": "What is your gender? - Other: - Text",
    "Q5": "In which country do you live?",
    "Q7": "How often do you take a nap?",
    "Q8": "Is there anything else that you want to tell us?",
    "Q9_1": "Which of these do you use? - Earplugs",
}


def write(path: Path, rows: Sequence[Sequence[Any]], encoding: str, separator: str = ",") -> Path:
    with path.open("w", newline="", encoding=encoding) as stream:
        csv.writer(stream, delimiter=separator).writerows(rows)
    return path


def qualtrics(path: Path, people: int = 220) -> Path:
    """Three rows of headers, statements in words, previews, people who left, their own words."""
    rng = random.Random(5)
    headers = _KEPT | _ASKED
    rows: list[Sequence[Any]] = [[*headers], [*headers.values()]]
    rows.append([json.dumps({"ImportId": name}) for name in headers])
    rows += [_person(number, rng) for number in range(people)]
    return write(path, rows, "utf-8-sig")


def _person(number: int, rng: random.Random) -> list[Any]:
    finished, level = rng.random() > 0.1, rng.gauss(0, 1)
    kept = ["2026-03-01 10:12:33"] * 2
    kept += ["Survey Preview" if number < 3 else "IP Address", f"81.2.3.{number}", "100", "300"]
    kept += [str(finished), "2026-03-09 11:00:00", f"R_{number:05}", "", "", "", "48.1"]
    kept += ["anonymous", "EN", "Yes, I do"]
    answers = [_agrees(level * (-1) ** n, rng) for n in range(len(STATEMENTS))]
    answers[6] = "Agree" if rng.random() > 0.08 else "Disagree"
    if not finished:
        return kept + [*answers[:5], *[""] * 6] + [""] * 7
    gender = rng.choices(("Female", "Male", "Other:", "Prefer not to say"), (48, 46, 3, 3))[0]
    about = [rng.randint(17, 80), gender, "agender" if gender == "Other:" else ""]
    about += [rng.choice(COUNTRIES), rng.choice(("Never", "Rarely", "Sometimes", "Often"))]
    words = f"my cat wakes me at {number}, and my neighbours too" if number % 3 else ""
    return [*kept, *answers, *about, words, rng.choice(("", "Earplugs"))]


def _agrees(level: float, rng: random.Random) -> str:
    return AGREEMENT[min(4, max(0, round(2 + 0.7 * level + rng.gauss(0, 1))))]


def spss(path: Path, people: int = 200) -> Path:
    """Value labels, codes that are missing, a scale of which the ends have words, weights."""
    import numpy as np
    import pandas as pd
    import pyreadstat

    rng = np.random.default_rng(3)
    level = rng.normal(size=people)
    agreement = {1: "Agree strongly", 2: "Agree", 3: "Neither", 4: "Disagree",
                 5: "Disagree strongly", 7: "Refusal", 8: "Don't know"}  # fmt: skip
    columns: dict[str, Any] = {"idno": np.arange(1001.0, 1001 + people)}
    texts = {"idno": "Respondent's number", "agea": "Age of respondent, calculated",
             "gndr": "Gender", "cntry": "Country", "pspwght": "Weight"}  # fmt: skip
    labels: dict[str, Any] = {"gndr": {1: "Male", 2: "Female", 9: "No answer"},
                              "cntry": {"DE": "Germany", "FR": "France"}}  # fmt: skip
    missing: dict[str, Any] = {"gndr": [9], "agea": [999]}
    for number, text in enumerate(STATEMENTS[:5], start=1):
        noise = rng.normal(size=people)
        answers = np.clip(np.round(3 + level * (-1) ** number * 0.6 + noise), 1, 5)
        answers[rng.random(people) < 0.05] = 8
        columns[f"att{number}"], texts[f"att{number}"] = answers, text
        labels[f"att{number}"] = agreement
        missing[f"att{number}"] = [{"lo": 7, "hi": 9}]
    for number, text in enumerate(("Trust in parliament", "Trust in the police"), start=1):
        noise = rng.normal(size=people)
        columns[f"trst{number}"] = np.clip(np.round(5 + 2 * level + 2 * noise), 0, 10)
        texts[f"trst{number}"] = text
        labels[f"trst{number}"] = {0: "No trust at all", 10: "Complete trust", 88: "Don't know"}
        missing[f"trst{number}"] = [88]
    columns["agea"] = np.where(np.arange(people) < 4, 999, rng.integers(15, 90, people))
    columns["gndr"] = np.where(rng.random(people) < 0.02, 9, rng.integers(1, 3, people))
    columns["cntry"] = rng.choice(["DE", "FR"], people)
    columns["pspwght"] = np.round(rng.gamma(4, 0.25, people), 4)
    ranges = {
        name: [one if isinstance(one, dict) else {"lo": one, "hi": one} for one in found]
        for name, found in missing.items()
    }
    pyreadstat.write_sav(
        pd.DataFrame(columns), str(path), column_labels=texts, variable_value_labels=labels,
        missing_ranges=ranges,
    )  # fmt: skip
    return path
