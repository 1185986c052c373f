"""The inventory checks what it is given, keeps passwords from sight, and lays discovery over what it knows."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shelldock.errors import ConflictError, InputError, NotFoundError, StoreError
from shelldock.inventory import Inventory, build
from shelldock.model import Attribute, Resource, Shell
from shelldock.rediscovery import difference
from shelldock.store import Store
from shelldock.vault import Vault

SWITCH = Shell(
    name="Cisco Switch",
    model="Cisco Switch",
    family="CS_Switch",
    attributes=(
        Attribute(name="CS_Switch.Vendor"),
        Attribute(name="Cisco Switch.Slot.User", default="sub"),
        Attribute(name="Cisco Switch.User", default="admin"),
        Attribute(name="Cisco Switch.Password", type="password", default="factory"),
        Attribute(name="Cisco Switch.Sessions", type="integer"),
        Attribute(name="Cisco Switch.Ratio", type="float"),
        Attribute(name="Cisco Switch.Enable SNMP", type="boolean", default="true"),
        Attribute(name="Cisco Switch.Console", type="boolean"),
        Attribute(name="Cisco Switch.SNMP Version", choices=("v1", "v2c", "v3")),
        Attribute(name="Execution Server Selector"),
    ),
    path=Path("/nowhere"),
)
VAULT = Vault.ephemeral()


def shell(name: str) -> Shell:
    assert name == SWITCH.name
    return SWITCH


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'state.db'}")
    yield opened
    opened.close()


@pytest.fixture
def inventory(store: Store) -> Inventory:
    return Inventory(store, VAULT, shell)


@pytest.fixture
def sw1(inventory: Inventory) -> Inventory:
    inventory.create("sw1", SWITCH, "10.0.0.1")
    return inventory


def stored(store: Store) -> Inventory:
    """What another host, which reads the store now, knows."""
    return Inventory(store, VAULT, shell)


# ---- adding -------------------------------------------------------------------------------------


def test_a_resource_is_there_for_the_next_host(sw1: Inventory, store: Store) -> None:
    assert stored(store).resource("sw1") == sw1.resource("sw1")
    assert sw1.resource("sw1").address == "10.0.0.1"
    assert sw1.resource("sw1").family == "CS_Switch"


def test_what_another_host_added_meanwhile_is_found(sw1: Inventory, store: Store) -> None:
    stored(store).create("sw2", SWITCH, "10.0.0.2")
    assert sw1.resource("sw2").address == "10.0.0.2"


def test_attributes_have_defaults_by_type_p8(sw1: Inventory) -> None:
    attributes = sw1.resource("sw1").attributes
    assert attributes["Cisco Switch.User"] == "admin"
    assert attributes["Cisco Switch.Sessions"] == "0"
    assert attributes["Cisco Switch.Ratio"] == "0"
    assert attributes["Cisco Switch.Enable SNMP"] == "True"
    assert attributes["Cisco Switch.Console"] == "False"
    assert attributes["Execution Server Selector"] == ""


@pytest.mark.parametrize("name", ["Cisco Switch.User", "User", "uSER", "cisco switch.user"])
def test_attributes_are_named_in_full_or_in_short(inventory: Inventory, name: str) -> None:
    made = inventory.create("sw1", SWITCH, attributes={name: "root"})
    assert made.attributes["Cisco Switch.User"] == "root"
    assert made.attributes["Cisco Switch.Slot.User"] == "sub"


def test_an_unknown_attribute_offers_the_nearest(inventory: Inventory) -> None:
    with pytest.raises(InputError, match=r"no attribute 'Pasword'; did you mean 'Password'\?"):
        inventory.create("sw1", SWITCH, attributes={"Pasword": "x"})
    with pytest.raises(NotFoundError):
        inventory.resource("sw1")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SNMP Version", "v4", "'v1', 'v2c', 'v3'"),
        ("Sessions", "many", "a whole number, not 'many'"),
        ("Sessions", "1.5", "a whole number"),
        ("Ratio", "x", "a number"),
        ("Console", "maybe", "True or False"),
    ],
)
def test_a_value_that_the_attribute_does_not_take_is_refused_p8(
    sw1: Inventory, store: Store, name: str, value: str, said: str
) -> None:
    before = sw1.resource("sw1")
    with pytest.raises(InputError, match=said):
        sw1.set_attribute("sw1", name, value)
    assert sw1.resource("sw1") == stored(store).resource("sw1") == before


def test_values_are_kept_as_drivers_see_them(sw1: Inventory) -> None:
    sw1.set("sw1", attributes={"Console": "true", "Sessions": " 07", "SNMP Version": "v2c"})
    attributes = sw1.resource("sw1").attributes
    assert attributes["Cisco Switch.Console"] == "True"
    assert attributes["Cisco Switch.Sessions"] == "7"
    assert attributes["Cisco Switch.SNMP Version"] == "v2c"


def test_passwords_are_never_kept_in_clear_n5(sw1: Inventory, tmp_path: Path, store: Store) -> None:
    assert VAULT.decrypt(sw1.resource("sw1").attributes["Cisco Switch.Password"]) == "factory"
    sw1.set_attribute("sw1", "Password", "s3cret-of-mine")
    sw1.replace_tree("sw1", report(attributes=[("", "Cisco Switch.Password", "s3cret-of-its")]))
    kept = sw1.resource("sw1").attributes["Cisco Switch.Password"]
    assert VAULT.decrypt(kept) == "s3cret-of-its"
    store.close()
    on_disk = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"sw1" in on_disk
    assert not [word for word in (b"s3cret", b"factory") if word in on_disk]


def test_a_password_that_is_encrypted_already_stays_as_it_is(sw1: Inventory) -> None:
    token = VAULT.encrypt("x")
    sw1.set_attribute("sw1", "Password", token)
    assert sw1.resource("sw1").attributes["Cisco Switch.Password"] == token


@pytest.mark.parametrize("name", ["a", "sw 1 [rack_2] a.b-c|d", "größe", "x" * 100])
def test_names_of_letters_digits_blanks_and_some_signs_are_taken(
    inventory: Inventory, name: str
) -> None:
    inventory.create(name, SWITCH)
    assert inventory.resource(name).name == name


@pytest.mark.parametrize("name", ["", "  ", "a/b", "x" * 101, "a\n", "sw#1", "a\tb"])
def test_other_names_are_refused(inventory: Inventory, name: str) -> None:
    with pytest.raises(InputError, match="cannot call a resource"):
        inventory.create(name, SWITCH)
    assert inventory.resources() == []


def test_a_taken_name_is_a_conflict_and_what_has_it_stays(sw1: Inventory, store: Store) -> None:
    with pytest.raises(ConflictError, match="'sw1' is there already"):
        sw1.create("sw1", SWITCH, "10.9.9.9")
    other = stored(store)
    with pytest.raises(ConflictError):
        other.create("sw1", SWITCH, "10.9.9.9")
    assert stored(store).resource("sw1").address == "10.0.0.1"


def test_building_keeps_nothing(inventory: Inventory, store: Store) -> None:
    built = build("sw1", SWITCH, "a", {"User": "u"}, vault=VAULT)
    assert built.attributes["Cisco Switch.User"] == "u"
    assert inventory.resources() == stored(store).resources() == []


# ---- changing -----------------------------------------------------------------------------------


def test_status_address_description_and_exclusion_are_kept_n6(sw1: Inventory, store: Store) -> None:
    sw1.set_status("sw1", "Progress 30", "loading")
    sw1.set_address("sw1", "10.0.0.2")
    sw1.set("sw1", description="in rack 2", excluded=True)
    one = stored(store).resource("sw1")
    assert (one.status, one.status_text, one.address) == ("Progress 30", "loading", "10.0.0.2")
    assert (one.description, one.excluded) == ("in rack 2", True)


def test_what_another_host_changed_is_not_undone(sw1: Inventory, store: Store) -> None:
    other = stored(store)
    other.resources()
    sw1.set_attribute("sw1", "User", "mine")
    other.set_status("sw1", "Online")
    kept = stored(store).resource("sw1")
    assert (kept.attributes["Cisco Switch.User"], kept.status) == ("mine", "Online")


def test_a_resource_that_another_host_removed_cannot_be_changed(
    sw1: Inventory, store: Store
) -> None:
    stored(store).remove("sw1")
    with pytest.raises(NotFoundError, match="removed it meanwhile"):
        sw1.set_status("sw1", "Online")


def test_an_unknown_name_offers_the_nearest(sw1: Inventory) -> None:
    for ask in (sw1.resource, sw1.children, sw1.tree, sw1.remove):
        with pytest.raises(NotFoundError, match=r"no resource 'sw2'; did you mean 'sw1'\?"):
            ask("sw2")


def test_what_cannot_be_kept_is_not_changed_in_memory_either(
    sw1: Inventory, store: Store, tmp_path: Path
) -> None:
    store.close()
    (tmp_path / "state.db").write_bytes(b"overwritten " * 1000)
    for left in tmp_path.glob("state.db-*"):
        left.unlink()
    with pytest.raises(StoreError):
        sw1.set_address("sw1", "10.0.0.2")
    assert sw1.resource("sw1").address == "10.0.0.1"


def test_many_threads_of_a_host_lose_no_attribute(sw1: Inventory, store: Store) -> None:
    names = ["User", "Slot.User", "Vendor", "Execution Server Selector"]

    def write(name: str) -> None:
        for number in range(10):
            sw1.set_attribute("sw1", name, f"{number}")

    threads = [threading.Thread(target=write, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    values = stored(store).resource("sw1").attributes
    assert [values[name] for name in values if name.endswith(("User", "Vendor", "Selector"))] == [
        "9"
    ] * 4


# ---- discovery ----------------------------------------------------------------------------------

Row = tuple[Any, ...]


def report(resources: list[Row] = [], attributes: list[Row] = []) -> str:  # noqa: B006 - only read
    """The JSON of an AutoLoadDetails; a resource is (address, name, model, unique identifier)."""
    return json.dumps(
        {
            "resources": [
                dict(
                    zip(
                        ("relative_address", "name", "model", "unique_identifier"),
                        (*row, *("Cisco Switch.GenericPort", None)[len(row) - 2 :]),
                        strict=True,
                    )
                )
                for row in resources
            ],
            "attributes": [
                dict(
                    zip(("relative_address", "attribute_name", "attribute_value"), row, strict=True)
                )
                for row in attributes
            ],
        }
    )


CHASSIS = ("CH1", "Chassis 1", "Cisco Switch.GenericChassis", "c")
MODULE = ("CH1/M2", "Module 2", "Cisco Switch.GenericModule", "m")
PORT = ("CH1/M2/P10", "GE2-10", "Cisco Switch.GenericPort", "p10")
PORT_9 = ("CH1/M2/P9", "GE2-9", "Cisco Switch.GenericPort", "p9")
TREE = [PORT, CHASSIS, PORT_9, MODULE]
GE = "sw1/Chassis 1/Module 2/GE2-10"


def names(found: list[Resource]) -> list[str]:
    return [one.name.removeprefix("sw1/") + (" excluded" if one.excluded else "") for one in found]


def test_a_tree_is_built_from_relative_addresses_in_any_order_n2(
    sw1: Inventory, store: Store
) -> None:
    found = sw1.replace_tree("sw1", report(TREE, [("CH1/M2/P10", "CS_Port.MAC Address", "aa:bb")]))
    assert names(found) == [
        "sw1",
        "Chassis 1",
        "Chassis 1/Module 2",
        "Chassis 1/Module 2/GE2-9",
        "Chassis 1/Module 2/GE2-10",
    ]
    port = stored(store).resource(GE)
    assert (port.address, port.model, port.unique_identifier) == (PORT[0], PORT[2], "p10")
    assert (port.attributes, port.family) == ({"CS_Port.MAC Address": "aa:bb"}, "CS_Port")
    assert port.shell == SWITCH.name
    assert [one.name for one in sw1.children("sw1")] == ["sw1/Chassis 1"]
    assert stored(store).tree("sw1") == found


def test_attributes_without_an_address_are_the_roots_n2(sw1: Inventory) -> None:
    root = sw1.replace_tree("sw1", report([], [("", "CS_Switch.Vendor", "Cisco")]))[0]
    assert root.attributes["CS_Switch.Vendor"] == "Cisco"
    assert root.attributes["Cisco Switch.User"] == "admin"


def test_a_resource_that_was_excluded_for_discovery_is_included_by_it_n1(sw1: Inventory) -> None:
    sw1.set("sw1", excluded=True)
    sw1.replace_tree("sw1", report(TREE))
    assert not sw1.resource("sw1").excluded


def test_rediscovery_excludes_what_is_missing_and_keeps_the_rest_n3(
    sw1: Inventory, store: Store
) -> None:
    sw1.replace_tree("sw1", report(TREE))
    sw1.set_status(GE, "Online")
    sw1.set(GE, description="uplink")
    before = sw1.resource(GE)
    sw1.replace_tree("sw1", report([CHASSIS, MODULE, PORT]))
    assert sw1.resource(GE) == before
    assert "Chassis 1/Module 2/GE2-9 excluded" in names(stored(store).tree("sw1"))
    sw1.replace_tree("sw1", report(TREE))
    assert not [one for one in sw1.tree("sw1") if one.excluded]
    assert len(sw1.tree("sw1")) == 5


def test_an_element_of_another_model_takes_the_place_and_the_former_one_is_set_aside_n3(
    sw1: Inventory, store: Store
) -> None:
    other = (*MODULE[:2], "Cisco Switch.PowerModule", "m")
    sw1.replace_tree("sw1", report(TREE))
    sw1.set("sw1/Chassis 1/Module 2", description="spare 7")
    sw1.set(GE, description="uplink")
    was = {one.name: one.id for one in sw1.tree("sw1")}
    sw1.replace_tree("sw1", report([CHASSIS, other, PORT]))
    assert names(stored(store).tree("sw1"))[2:] == [
        "Chassis 1/Module 2",
        "Chassis 1/Module 2/GE2-10",
        "Chassis 1/Module 2 [Cisco Switch.GenericModule] excluded",
        "Chassis 1/Module 2 [Cisco Switch.GenericModule]/GE2-9 excluded",
    ]
    new = sw1.resource("sw1/Chassis 1/Module 2")
    aside = sw1.resource("sw1/Chassis 1/Module 2 [Cisco Switch.GenericModule]")
    assert (new.model, new.description) == ("Cisco Switch.PowerModule", "")
    assert (aside.id, aside.description) == (was["sw1/Chassis 1/Module 2"], "spare 7")
    assert (sw1.resource(GE).id, sw1.resource(GE).description) == (was[GE], "uplink")

    sw1.replace_tree("sw1", report(TREE))
    back = sw1.resource("sw1/Chassis 1/Module 2")
    assert (back.id, back.description, back.excluded) == (aside.id, "spare 7", False)
    assert sw1.resource("sw1/Chassis 1/Module 2 [Cisco Switch.PowerModule]").id == new.id
    assert sw1.resource(GE).id == was[GE]
    assert len(sw1.tree("sw1")) == 6


def test_an_element_is_set_aside_where_another_one_with_its_own_identifier_has_its_name_n3(
    sw1: Inventory,
) -> None:
    sw1.replace_tree("sw1", report([("P1", "P1", "M", "a"), ("P2", "P2", "M", "b")]))
    ids = {one.name: one.id for one in sw1.tree("sw1")}
    sw1.replace_tree("sw1", report([("P2", "P2", "M", "a")]))
    assert sw1.resource("sw1/P2").id == ids["sw1/P1"]
    aside = sw1.resource("sw1/P2 [M]")
    assert (aside.id, aside.excluded) == (ids["sw1/P2"], True)


def test_elements_that_change_places_keep_what_is_theirs_n3(sw1: Inventory) -> None:
    sw1.replace_tree("sw1", report([("P1", "P1", "M", "a"), ("P2", "P2", "M", "b")]))
    sw1.set("sw1/P1", description="was first")
    sw1.replace_tree("sw1", report([("P1", "P1", "M", "b"), ("P2", "P2", "M", "a")]))
    assert sw1.resource("sw1/P2").description == "was first"
    assert [one.name for one in sw1.tree("sw1")] == ["sw1", "sw1/P1", "sw1/P2"]


@pytest.mark.parametrize("again", ["other", "same"])
def test_identifiers_that_tell_nothing_leave_it_to_the_names_n3(sw1: Inventory, again: str) -> None:
    """Drivers report ``hash(text)``, which is another one in each process, or one value for all."""
    sw1.replace_tree("sw1", report([(f"P{n}", f"P{n}", "M", f"{n}") for n in range(9)]))
    before = {one.name: one.id for one in sw1.tree("sw1")}
    rows = [(f"P{n}", f"P{n}", "M", f"{n + 20}" if again == "other" else "0") for n in range(9)]
    sw1.replace_tree("sw1", report(rows))
    assert {one.name: one.id for one in sw1.tree("sw1")} == before


def test_a_new_element_takes_nothing_from_below_one_that_moved_away_n3(sw1: Inventory) -> None:
    sw1.replace_tree("sw1", report([("M2", "M2", "M", "a"), ("M2/P1", "P1", "P", None)]))
    port = sw1.resource("sw1/M2/P1").id
    rows = [("M2", "M2", "M", "z"), ("M2/P1", "P1", "P", None)]
    rows += [("M9", "M9", "M", "a"), ("M9/P1", "P1", "P", None)]
    sw1.replace_tree("sw1", report(rows))
    assert sw1.resource("sw1/M9/P1").id == port
    assert sw1.resource("sw1/M2/P1").id != port


def test_what_users_set_and_discovery_does_not_report_is_kept_n3(sw1: Inventory) -> None:
    rows = [("CH1", "CS_Chassis.Serial", "1"), ("CH1", "CS_Chassis.Rack", "")]
    sw1.replace_tree("sw1", report([CHASSIS], rows))
    sw1.set("sw1/Chassis 1", attributes={"Rack": "12"}, description="mine")
    sw1.set("sw1", attributes={"User": "root"})
    sw1.replace_tree("sw1", report([CHASSIS], [("CH1", "CS_Chassis.Serial", "2")]))
    chassis = sw1.resource("sw1/Chassis 1")
    assert chassis.attributes == {"CS_Chassis.Serial": "2", "CS_Chassis.Rack": "12"}
    assert chassis.description == "mine"
    assert sw1.resource("sw1").attributes["Cisco Switch.User"] == "root"


def test_what_a_discovery_changed_is_told_by_name_n3(sw1: Inventory) -> None:
    bare = sw1.tree("sw1")
    first = sw1.replace_tree("sw1", report([CHASSIS, MODULE, PORT, PORT_9]))
    assert difference(bare, first).new == tuple(one.name for one in first[1:])
    assert not difference(first, first).any
    sw1.replace_tree("sw1", report([CHASSIS, ("CH1/M2", "Slot 2", *MODULE[2:]), PORT_9]))
    told = difference(first, sw1.tree("sw1"))
    assert told.changed == ("sw1/Chassis 1/Slot 2", "sw1/Chassis 1/Slot 2/GE2-9")
    assert (told.new, told.excluded) == ((), ("sw1/Chassis 1/Slot 2/GE2-10",))


def test_an_element_that_moved_stays_itself_with_all_below_it_n3(
    sw1: Inventory, store: Store
) -> None:
    sw1.replace_tree("sw1", report(TREE))
    ids = {one.name: one.id for one in sw1.tree("sw1")}
    sw1.set(GE, description="uplink")
    moved = [
        CHASSIS,
        ("CH1/M3", "Module 3", "Cisco Switch.GenericModule", "m"),
        ("CH1/M3/P10", "GE2-10", "Cisco Switch.GenericPort", "p10"),
    ]
    sw1.replace_tree("sw1", report(moved))
    assert names(stored(store).tree("sw1"))[2:] == [
        "Chassis 1/Module 3",
        "Chassis 1/Module 3/GE2-9 excluded",
        "Chassis 1/Module 3/GE2-10",
    ]
    port = sw1.resource("sw1/Chassis 1/Module 3/GE2-10")
    assert (port.id, port.description, port.address) == (ids[GE], "uplink", "CH1/M3/P10")
    assert sw1.resource("sw1/Chassis 1/Module 3").id == ids["sw1/Chassis 1/Module 2"]


def test_attributes_find_their_element_by_unique_identifier_too_n2(sw1: Inventory) -> None:
    rows = [("m", "CS_Module.Slot", "2"), ("CH1/M2", "CS_Module.Serial", "x")]
    sw1.replace_tree("sw1", report([CHASSIS, MODULE], rows))
    assert sw1.resource("sw1/Chassis 1/Module 2").attributes == {
        "CS_Module.Slot": "2",
        "CS_Module.Serial": "x",
    }


def test_an_attribute_is_that_of_the_address_where_an_identifier_is_the_same_text_n2(
    sw1: Inventory,
) -> None:
    sw1.replace_tree(
        "sw1", report([("1", "P1", "M", "2"), ("2", "P2", "M", "1")], [("1", "A", "x")])
    )
    assert sw1.resource("sw1/P1").attributes == {"A": "x"}
    assert sw1.resource("sw1/P2").attributes == {}


def test_the_roots_attributes_may_be_named_in_short_n2(sw1: Inventory) -> None:
    rows = [("", "Vendor", "Cisco"), (None, "cisco switch.user", "root"), ("", "Serial", "x")]
    before = sw1.resource("sw1").attributes
    sw1.replace_tree("sw1", report([], rows))
    changed = {"CS_Switch.Vendor": "Cisco", "Cisco Switch.User": "root", "Serial": "x"}
    assert sw1.resource("sw1").attributes == before | changed


def test_passwords_that_a_driver_reports_are_not_kept_in_clear_n5(
    sw1: Inventory, tmp_path: Path, store: Store
) -> None:
    rows = [("", "Cisco Switch.Password", "first-secret"), ("", "Password", "second-secret")]
    rows += [("CH1", "Cisco Switch.GenericChassis.Password", "third-secret")]
    sw1.replace_tree("sw1", report([CHASSIS], rows))
    chassis = sw1.resource("sw1/Chassis 1").attributes["Cisco Switch.GenericChassis.Password"]
    root = sw1.resource("sw1").attributes["Cisco Switch.Password"]
    assert (VAULT.decrypt(root), VAULT.decrypt(chassis)) == ("second-secret", "third-secret")
    sw1.replace_tree("sw1", report([], [("", "Cisco Switch.Password", root)]))
    assert sw1.resource("sw1").attributes["Cisco Switch.Password"] == root
    store.close()
    assert not [file for file in tmp_path.iterdir() if b"-secret" in file.read_bytes()]


def test_the_last_of_two_values_for_an_attribute_counts_and_none_is_passed_over_n2(
    sw1: Inventory, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [("CH1", "A", "1"), ("CH1", "A", 2), ("CH1", "B", "kept"), ("CH1", "B", None)]
    sw1.replace_tree("sw1", report([CHASSIS], rows))
    assert sw1.resource("sw1/Chassis 1").attributes == {"A": "2", "B": "kept"}
    assert "nothing as attribute 'B' of 'CH1'" in caplog.text


def machine(**fields: object) -> str:
    """What a shell that loads a static VM reports of it."""
    return json.dumps({"UID": "42-ab", "CloudProviderName": "vCenter"} | fields)


@pytest.mark.parametrize("as_text", [True, False], ids=["text", "object"])
def test_vm_details_make_the_resource_a_virtual_machine_n2(
    sw1: Inventory, store: Store, *, as_text: bool
) -> None:
    said = machine(VmCustomParams=[{"Name": "auto_power_off", "Value": "False"}])
    sw1.replace_tree("sw1", report([], [("", "VmDetails", said if as_text else json.loads(said))]))
    sw1.replace_tree("sw1", report())
    found = stored(store).resource("sw1")
    assert json.loads(found.deployed_app) == {
        "vmdetails": {
            "uid": "42-ab",
            "cloudProviderName": "vCenter",
            "vmCustomParams": [{"name": "auto_power_off", "value": "False"}],
        }
    }
    assert "VmDetails" not in found.attributes


def test_simple_values_become_text_n2(sw1: Inventory) -> None:
    rows = [
        ("CH1", "CS_Chassis.Slots", 8),
        ("CH1", "CS_Chassis.Full", True),
        ("CH1", "CS_Chassis.X", ""),
    ]
    sw1.replace_tree("sw1", report([("CH1", "C", "M", 77)], rows))
    chassis = sw1.resource("sw1/C")
    assert chassis.attributes == {
        "CS_Chassis.Slots": "8",
        "CS_Chassis.Full": "True",
        "CS_Chassis.X": "",
    }
    assert chassis.unique_identifier == "77"


def test_attributes_of_sub_resources_can_be_set_by_their_short_names_n2(sw1: Inventory) -> None:
    sw1.replace_tree("sw1", report([CHASSIS], [("CH1", "CS_Chassis.User", "x")]))
    sw1.set_attribute("sw1/Chassis 1", "User", "y")
    assert sw1.resource("sw1/Chassis 1").attributes == {"CS_Chassis.User": "y"}


@pytest.mark.parametrize(
    "nothing", ["", " ", "null", "{}", '{"resources": null, "attributes": null}']
)
def test_a_report_of_nothing_is_a_report_n2(sw1: Inventory, nothing: str) -> None:
    assert names(sw1.replace_tree("sw1", nothing)) == ["sw1"]


BAD = {
    "not JSON": ("done", "did not return AutoLoadDetails"),
    "a list": ("[]", "did not return AutoLoadDetails"),
    "resources no list": ('{"resources": 5}', "did not return AutoLoadDetails"),
    "a row no object": ('{"resources": ["CH1"]}', "did not return AutoLoadDetails"),
    "address twice": (report([CHASSIS, ("CH1", "Chassis 2", "M", None)]), "two resources.*'CH1'"),
    "name twice": (
        report([CHASSIS, ("CH2", "Chassis 1", "M", None)]),
        "'CH1' and 'CH2' the same name",
    ),
    "no parent": (report([("CH1/M2", "Module", "M", None)]), "'CH1/M2'.*without its parent 'CH1'"),
    "root listed": (report([("", "Chassis", "M", None)]), "relative address of resource 'Chassis'"),
    "no address": (report([(None, "Chassis", "M", None)]), "nothing as the relative address"),
    "empty part": (report([CHASSIS, ("CH1//P1", "P", "M", None)]), "empty part"),
    "no name": (report([("CH1", None, "M", None)]), "nothing as the name of resource 1"),
    "no model": (report([("CH1", "C", None, None)]), "nothing as the model of resource 'C'"),
    "slash in name": (report([("CH1", "GE0/1", "M", None)]), "'GE0/1'"),
    "long name": (report([("CH1", "x" * 101, "M", None)]), "at most 100"),
    "odd name": (report([("CH1", {"a": 1}, "M", None)]), "the name of resource 1"),
    "root's odd value": (report([], [("", "Vendor", [])]), "'Vendor' of 'the root resource'"),
    "an identifier of two": (
        report([("P1", "P1", "M", "u"), ("P2", "P2", "M", "u")], [("u", "A", "x")]),
        "for 'u', which is neither",
    ),
    "VM no JSON": (report([], [("", "VmDetails", "uid 7")]), "'VmDetails' that cannot be read"),
    "VM of nothing": (report([], [("", "VmDetails", None)]), "'VmDetails' that cannot be read"),
    "VM without UID": (report([], [("", "VmDetails", "{}")]), "VmDetails.*`UID`"),
    "VM with empty UID": (report([], [("", "VmDetails", machine(UID=" "))]), "without the UID"),
    "VM's parameters": (
        report([], [("", "VmDetails", machine(VmCustomParams=5))]),
        "VmDetails.*VmCustomParams",
    ),
    "odd value": (report([CHASSIS], [("CH1", "User", [1])]), "'User'"),
    "nobody's attribute": (report([CHASSIS], [("CH2", "User", "x")]), "attributes for 'CH2'"),
    "no attribute name": (report([CHASSIS], [("CH1", None, "x")]), "the name of attribute 1"),
}


@pytest.mark.parametrize(("details", "said"), BAD.values(), ids=BAD)
def test_a_report_that_cannot_be_used_is_named_and_changes_nothing_n2(
    sw1: Inventory, store: Store, details: str, said: str
) -> None:
    sw1.replace_tree("sw1", report(TREE))
    sw1.set("sw1", excluded=True)
    before = sw1.tree("sw1")
    with pytest.raises(InputError, match=said) as caught:
        sw1.replace_tree("sw1", details)
    assert "\n" not in str(caught.value)
    assert sw1.tree("sw1") == stored(store).tree("sw1") == before


paths = st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=3).map("/".join)


def whole(addresses: set[str]) -> set[str]:
    """The addresses with all their parents."""
    return {
        "/".join(one.split("/")[: depth + 1])
        for one in addresses
        for depth in range(one.count("/") + 1)
    }


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sets(paths, max_size=6).map(whole), min_size=1, max_size=4), st.data())
def test_whatever_is_reported_again_and_again_the_tree_holds_together_n3(
    reports: list[set[str]], data: Any
) -> None:
    with closing(Store.memory()) as store:
        inventory = Inventory(store, VAULT, shell)
        inventory.create("sw1", SWITCH)
        for addresses in reports:
            rows = [
                (
                    one,
                    data.draw(st.sampled_from(["x", "y", "z"])) + one[-1],
                    data.draw(st.sampled_from(["M1", "M2"])),
                    data.draw(st.sampled_from([None, "1", "2", "3"])),
                )
                for one in sorted(addresses)
            ]
            before = {one.id for one in inventory.tree("sw1")}
            found = inventory.replace_tree("sw1", report(rows))
            assert before <= {one.id for one in found}, "nothing is lost"
            every = {one.name for one in store.resources()}
            assert all(name.rpartition("/")[0] in every for name in every if "/" in name), (
                "no orphan"
            )
            assert len(every) == len(found) == len({one.id for one in found})
            here = {(one.address, one.model) for one in found[1:] if not one.excluded}
            assert here == {(row[0], row[2]) for row in rows}, "what is reported is there"
            inventory.replace_tree("sw1", report(rows))
            assert inventory.tree("sw1") == found, "the same again changes nothing"


# ---- removing -----------------------------------------------------------------------------------


def test_removing_takes_all_below_and_nothing_beside(sw1: Inventory, store: Store) -> None:
    sw1.create("sw10", SWITCH)
    sw1.replace_tree("sw1", report(TREE))
    gone = sw1.remove("sw1/Chassis 1/Module 2")
    assert len(gone) == 3
    assert names(stored(store).tree("sw1")) == names(sw1.tree("sw1")) == ["sw1", "Chassis 1"]
    sw1.remove("sw1")
    assert [one.name for one in stored(store).resources()] == ["sw10"]
    sw1.create("sw1", SWITCH)
    assert sw1.children("sw1") == []


def test_a_tree_of_ten_thousand_is_laid_and_read_quickly_enough_n2(sw1: Inventory) -> None:
    ports = [(f"CH1/P{number}", f"P{number}", "M", f"u{number}") for number in range(10000)]
    began = time.monotonic()
    sw1.replace_tree("sw1", report([CHASSIS, *ports]))
    sw1.replace_tree("sw1", report([CHASSIS, *ports[:5000]]))
    assert time.monotonic() - began < 60
    tree = sw1.tree("sw1")
    assert sum(one.excluded for one in tree) == 5000
    assert [one.name.rpartition("/")[2] for one in tree[2:5]] == ["P0", "P1", "P2"]


def test_who_uses_a_shell_is_known(sw1: Inventory) -> None:
    assert sw1.used("Cisco Switch") == ["sw1"]
    assert sw1.used("Other") == []
