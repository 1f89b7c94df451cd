"""What must hold of what is public, and of rounds that are closed."""

import json
from collections.abc import Iterator

from holding import name
from seen import Row, Seen, is_open

RECORDS = (
    "SELECT i.code, i.code || '/' || r.department AS object, i.ended_on, i.round_id, r.results, "
    "p.id AS publication, p.content, p.published_on, closed_on FROM department_record r "
    "JOIN inspection i ON i.id = inspection_id JOIN round ON round.id = i.round_id "
    "LEFT JOIN publication p ON p.record_id = r.id WHERE r.version > 0"
)


def closed_rounds_are_done(seen: Seen) -> Iterator[str]:
    """A round in which a duty is open is not closed."""
    closed = {row["id"] for row in seen.rows("SELECT id FROM round WHERE closed_on IS NOT NULL")}
    for row in seen.owed.values():
        if is_open(row) and row["round_id"] in closed:
            yield name(row)


def closed_rounds_are_whole(seen: Seen) -> Iterator[str]:
    """A closed round has its draws, its inspections over, all of it public, and its brief."""
    for round in seen.rows("SELECT * FROM round WHERE closed_on IS NOT NULL"):
        number, code = round["id"], round["code"]
        inspections = seen.rows("SELECT * FROM inspection WHERE round_id = ?", number)
        for one in inspections:
            if not (one["ended_on"] or one["dropped_on"]):
                yield f"{one['code']}: neither over nor given up"
        if seen.rows("SELECT 1 FROM draw WHERE round_id = ? AND sealed_at IS NULL", number):
            yield f"{code}: not drawn"
        if inspections and not seen.rows("SELECT 1 FROM brief WHERE round_id = ?", number):
            yield f"{code}: no brief"
        for record in seen.rows(f"{RECORDS} AND i.round_id = ?", number):
            if fault := _not_public(seen, record):
                yield fault


def _not_public(seen: Seen, record: Row) -> str:
    """What keeps a record from being public as it stands."""
    public = [one for one in _versions(seen, record["publication"]) if one["published_on"]]
    if not public:
        return f"{record['object']}: not public"
    if _shown(json.loads(public[-1]["content"])) != _recorded(seen, record):
        return f"{record['object']}: public is another result than that recorded"
    return ""


def _versions(seen: Seen, number: int) -> list[Row]:
    return seen.rows(
        "SELECT * FROM publication_version WHERE publication_id = ? ORDER BY number", number
    )


def _shown(content: Row) -> tuple[str, list[str]]:
    return content["insDate"], [one["raninsCheckResName"] for one in content["details"]]


def _recorded(seen: Seen, record: Row) -> tuple[str, list[str]]:
    texts = {one["code"]: one["text"] for one in seen.plan["results"]}
    return record["ended_on"], [texts[one["result"]] for one in json.loads(record["results"])]


def what_was_public_stays(seen: Seen) -> Iterator[str]:
    """Every content that was public has its version, which stays as it was."""
    now = {row["id"]: row for row in seen.rows("SELECT * FROM publication_version")}
    for number, was in seen.public.items():
        row = now.get(number)
        if row is None or row["content"] != was["content"] or row["number"] != was["number"]:
            yield f"publication {was['publication_id']}: version {was['number']} is lost"
        elif was["published_on"] and not row["published_on"]:
            yield f"publication {was['publication_id']}: version {was['number']} never was public"
    seen.public = now
    for one in seen.rows("SELECT * FROM publication"):
        own = [row for row in now.values() if row["publication_id"] == one["id"]]
        days = [row["published_on"] for row in own if row["published_on"]]
        if not own or max(own, key=lambda row: int(row["number"]))["content"] != one["content"]:
            yield f"publication {one['id']}: its content is no version of it"
        if one["published_on"] != min(days, default=None):
            yield f"publication {one['id']}: public on {one['published_on']}, versions {days}"


def corrections_of_what_is_public_are_owed(seen: Seen) -> Iterator[str]:
    """What was corrected after it was public is to be published again, until it is."""
    owed = {
        row["object"].rpartition("/")[0]
        for row in seen.owed.values()
        if row["duty"] == "republish" and is_open(row)
    }
    for record in seen.rows(f"{RECORDS} AND p.published_on IS NOT NULL AND closed_on IS NULL"):
        versions = _versions(seen, record["publication"])
        public = [one for one in versions if one["published_on"]]
        stale = bool(public) and versions[-1]["content"] != public[-1]["content"]
        if stale != (record["object"] in owed):
            yield f"{record['object']}: {'not ' * stale}to be published again"


def corrections_reach_the_public(seen: Seen) -> Iterator[str]:
    """Nothing that is recorded is forgotten: it is what is to be public now."""
    for record in seen.rows(f"{RECORDS} AND i.ended_on IS NOT NULL"):
        if not record["content"]:
            yield f"{record['object']}: not prepared for publication"
        elif _shown(json.loads(record["content"])) != _recorded(seen, record):
            yield f"{record['object']}: prepared is another result than that recorded"


def refusals_are_to_be_reported(seen: Seen) -> Iterator[str]:
    """Every refusal to sign is to be reported, and only those."""
    owed = {
        row["object"]: row
        for row in seen.owed.values()
        if row["duty"] == "report_refusal" and row["closed_on"] is None
    }
    refused = seen.rows(
        "SELECT code, reported_on FROM inspection i LEFT JOIN refusal_report f "
        "ON f.inspection_id = i.id WHERE attestation = '拒签'"
    )
    for one in refused:
        met_on = owed.get(one["code"], {}).get("met_on", "not owed")
        if str(met_on) != str(one["reported_on"]):
            yield f"{one['code']}: {met_on}, reported {one['reported_on']}"
    for code in owed.keys() - {one["code"] for one in refused}:
        if owed[code]["met_on"] is None:
            yield f"{code}: nobody refused"
