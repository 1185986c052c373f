"""``shell-definition.yaml`` gives model, attributes and capabilities, without the standards that it imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelldock.errors import ShellError
from shelldock.model import Attribute, Discovery
from shelldock_cloudshell import standards
from shelldock_cloudshell.definition import Definition, read


def parsed(tmp_path: Path, text: str) -> Definition:
    path = tmp_path / "shell-definition.yaml"
    path.write_text(text, encoding="utf-8")
    found = read(path, tmp_path / "cache")
    assert read(path, tmp_path / "cache") == found, "what is kept of it means the same"
    return found


def shell(node: str, base: str, body: str = "{}", imported: str = "") -> str:
    """A definition with one node type, in flow style."""
    return (
        "metadata: {template_name: Some Shell, template_version: 1.0}\n"
        f"imports: [{{cloudshell_standard: {imported or 'cloudshell_unknown_standard_9_9_9.yaml'}}}]\n"
        f"node_types:\n  {node}:\n    derived_from: cloudshell.nodes.{base}\n"
        + "".join(f"    {line}\n" for line in body.splitlines() if body != "{}")
    )


def values(found: Definition) -> dict[str, str]:
    return {one.name: one.default for one in found.attributes}


@pytest.mark.parametrize(
    ("node", "model"),
    [
        ("vendor.Demo Box", "Demo Box"),
        ("vendor.resource.Demo Box", "Demo Box"),
        ("vendor.switch.Cisco IOS 2G", "Cisco IOS 2G"),
        ("cloudshell.My Model", "My Model"),
    ],
)
def test_the_model_is_what_follows_the_vendor_P7(tmp_path: Path, node: str, model: str) -> None:
    assert parsed(tmp_path, shell(node, "GenericResource")).model == model


@pytest.mark.parametrize(
    ("base", "kind", "family"),
    [
        ("Switch", "resource", "CS_Switch"),
        ("Router", "resource", "CS_Router"),
        ("Firewall", "resource", "CS_Firewall"),
        ("PDU", "resource", "CS_PDU"),
        ("Compute", "resource", "CS_ComputeServer"),
        ("GenericResource", "resource", "CS_GenericResource"),
        ("TrafficGeneratorChassis", "resource", "CS_TrafficGeneratorChassis"),
        ("TrafficGeneratorController", "service", "CS_TrafficGeneratorController"),
        ("CustomService", "service", "CS_CustomService"),
        ("AdminOnlyCustomService", "service", "CS_AdminOnlyCustomService"),
        ("CloudService", "service", "CS_CloudService"),
        ("DeployedApp", "app", "CS_GenericAppFamily"),
        ("CustomCloudProvider", "resource", "CS_CloudProvider"),
        ("SDNController", "resource", "CS_SDNController"),
        ("SomethingNew", "resource", "CS_SomethingNew"),
        ("SomeNewService", "service", "CS_SomeNewService"),
    ],
)
def test_the_base_type_decides_kind_and_family(
    tmp_path: Path, base: str, kind: str, family: str
) -> None:
    found = parsed(tmp_path, shell("vendor.X", base))
    assert (found.kind, found.family) == (kind, family)


def test_family_attributes_have_the_family_in_their_name_and_others_the_model_P7(
    tmp_path: Path,
) -> None:
    found = parsed(tmp_path, shell("vendor.My Switch", "Switch"))
    assert values(found) == {
        "CS_Switch.Vendor": "",
        "CS_Switch.Model": "",
        "CS_Switch.Location": "",
        "CS_Switch.System Name": "",
        "CS_Switch.Contact Name": "",
        "CS_Switch.Model Name": "",
        "CS_Switch.OS Version": "",
        "My Switch.User": "",
        "My Switch.Password": "",
        "My Switch.Enable Password": "",
        "My Switch.Power Management": "True",
        "My Switch.Sessions Concurrency Limit": "1",
        "My Switch.SNMP Read Community": "",
        "My Switch.SNMP Write Community": "",
        "My Switch.SNMP V3 User": "",
        "My Switch.SNMP V3 Password": "",
        "My Switch.SNMP V3 Private Key": "",
        "My Switch.SNMP Version": "",
        "My Switch.SNMP V3 Authentication Protocol": "No Authentication Protocol",
        "My Switch.SNMP V3 Privacy Protocol": "No Privacy Protocol",
        "My Switch.Enable SNMP": "True",
        "My Switch.Disable SNMP": "False",
        "My Switch.Console Server IP Address": "",
        "My Switch.Console User": "",
        "My Switch.Console Port": "0",
        "My Switch.Console Password": "",
        "My Switch.CLI Connection Type": "Auto",
        "My Switch.CLI TCP Port": "0",
        "My Switch.Backup Location": "",
        "My Switch.Backup Type": "File System",
        "My Switch.Backup User": "",
        "My Switch.Backup Password": "",
        "My Switch.VRF Management Name": "",
        "Execution Server Selector": "",
    }


def test_passwords_are_known_N5(tmp_path: Path) -> None:
    found = parsed(tmp_path, shell("vendor.S", "Firewall"))
    secrets = {one.name.removeprefix("S.") for one in found.attributes if one.type == "password"}
    assert secrets == {
        "Password",
        "Enable Password",
        "Console Password",
        "Backup Password",
        "SNMP Read Community",
        "SNMP Write Community",
        "SNMP V3 Password",
    }


@pytest.mark.parametrize(
    ("imported", "type"),
    [
        ("cloudshell_networking_standard_4_0_1.yaml", "string"),
        ("cloudshell_networking_standard_5_0_4.yaml", "password"),
        ("cloudshell_resource_standard_1_0_0.yaml", "string"),
        ("cloudshell_resource_standard_2_0_3.yaml", "password"),
        ("cloudshell_firewall_standard_3_0_0.yaml", "password"),
        ("of_no_known_form.yaml", "password"),
    ],
)
def test_communities_are_secret_since_the_standards_say_so(
    tmp_path: Path, imported: str, type: str
) -> None:
    found = parsed(tmp_path, shell("vendor.S", "Switch", imported=imported))
    community = next(one for one in found.attributes if one.name == "S.SNMP Read Community")
    password = next(one for one in found.attributes if one.name == "S.Password")
    assert (community.type, password.type) == (type, "password")


PROPERTIES = """\
properties:
  speed: {type: integer, default: 10, description: How fast, constraints: [{valid_values: [10, 100]}], tags: [setting]}
  ratio: {type: float}
  on: {type: boolean}
  off: {type: boolean, default: true}
  text: {type: string, default: }
  secret: {type: cloudshell.datatypes.Password}
  many: {type: list, default: [a, b]}
  odd:
  Vendor: {type: string, default: Acme}
  Power Management: {type: string, default: false}
  Password: {type: string, tags: [user_input]}
  GenericPort.Address: {type: string}
"""


def test_properties_become_attributes_with_text_defaults_P8(tmp_path: Path) -> None:
    found = parsed(tmp_path, shell("vendor.M", "GenericResource", PROPERTIES))
    given = values(found)
    assert {
        name: given[f"M.{name}"] for name in ("speed", "ratio", "on", "off", "text", "many")
    } == {
        "speed": "10",
        "ratio": "0",
        "on": "False",
        "off": "True",
        "text": "",
        "many": "a,b",
    }


def test_a_shell_changes_defaults_of_the_standard_but_no_types(tmp_path: Path) -> None:
    found = {
        one.name: one
        for one in parsed(tmp_path, shell("vendor.M", "GenericResource", PROPERTIES)).attributes
    }
    assert found["CS_GenericResource.Vendor"].default == "Acme"
    assert "M.Vendor" not in found
    assert found["M.Power Management"].type == "boolean"
    assert found["M.Power Management"].default == "False"
    assert found["M.Password"].type == "password"
    assert found["M.Password"].tags == ("user_input",)
    assert found["M.speed"] == Attribute(
        name="M.speed",
        type="integer",
        default="10",
        description="How fast",
        choices=("10", "100"),
        tags=("setting",),
    )
    assert found["M.secret"].type == "password"
    assert found["M.odd"].type == "string"


def test_text_stays_as_it_was_written(tmp_path: Path) -> None:
    text = """\
metadata: {template_name: 007, template_version: 1.10, template_author: No}
node_types:
  vendor.M:
    derived_from: cloudshell.nodes.CustomService
    properties:
      on: {type: string, default: off}
      reply: {type: string, default: No, constraints: [{valid_values: [Yes, No]}]}
      time: {type: string, default: 12:30:45}
      day: {type: string, default: 2020-99-99}
      none: {type: string, default: null}
"""
    found = parsed(tmp_path, text)
    assert (found.name, found.version, found.author) == ("007", "1.10", "No")
    expected = {"on": "off", "reply": "No", "time": "12:30:45", "day": "2020-99-99", "none": ""}
    assert values(found) == {f"M.{name}": value for name, value in expected.items()}
    assert found.attributes[1].choices == ("Yes", "No")


def test_attributes_of_sub_models_are_none_of_the_root(tmp_path: Path) -> None:
    found = parsed(tmp_path, shell("vendor.M", "GenericResource", PROPERTIES))
    assert not [one for one in found.attributes if "Address" in one.name.split(".")]


@pytest.mark.parametrize(
    "key", ["concurrent_execution", "concurrent_command_capability", "anything"]
)
def test_concurrency_is_known_by_type_P9(tmp_path: Path, key: str) -> None:
    body = f"capabilities:\n  {key}: {{type: cloudshell.capabilities.SupportConcurrentCommands}}"
    assert parsed(tmp_path, shell("vendor.M", "Switch", body)).concurrent
    assert not parsed(tmp_path, shell("vendor.M", "Switch")).concurrent


@pytest.mark.parametrize(
    ("properties", "may"),
    [
        ("", True),
        ("properties: {allow_deprecate_properties: {type: boolean, default: true}}", True),
        ("properties: {allow_deprecate_properties: {type: boolean, default: false}}", False),
    ],
)
def test_a_definition_may_say_that_an_update_drops_attributes_p11(
    tmp_path: Path, properties: str, may: bool
) -> None:
    capability = "type: cloudshell.capabilities.DeprecateProperties"
    body = f"capabilities:\n  any:\n    {capability}\n    {properties}"
    assert parsed(tmp_path, shell("vendor.M", "Switch", body)).drops_attributes is may
    assert not parsed(tmp_path, shell("vendor.M", "Switch")).drops_attributes


def test_discovery_is_known_by_type_and_tells_what_it_asks_P9(tmp_path: Path) -> None:
    body = """\
capabilities:
  some_key:
    type: cloudshell.capabilities.AutoDiscovery
    properties:
      enable_auto_discovery: {type: boolean, default: true}
      auto_discovery_description: {type: string, default: x}
      inventory_description: {type: string, default: x}
      hide_address: {type: string, default: true}
      User: {type: string}
      Password: {type: cloudshell.datatypes.Password}"""
    found = parsed(tmp_path, shell("vendor.M", "Switch", body))
    assert found.discovery == Discovery(enabled=True, asks=("User", "Password"), hides_address=True)
    off = body.replace("boolean, default: true", "boolean, default: false").replace(
        "string, default: true", "string"
    )
    assert parsed(tmp_path, shell("vendor.M", "Switch", off)).discovery == Discovery(
        enabled=False, asks=("User", "Password")
    )
    assert parsed(tmp_path, shell("vendor.M", "Switch")).discovery is None


def test_of_several_node_types_the_one_with_the_driver_is_the_shell(tmp_path: Path) -> None:
    found = parsed(
        tmp_path,
        """\
metadata: {template_name: Linux}
node_types:
  cloudshell.linux.Device:
    derived_from: cloudshell.nodes.Compute
    properties: {kernel: {type: string, default: "6"}, shared: {type: string, default: base}}
  vendor.Port: {derived_from: cloudshell.nodes.GenericResource}
  vendor.Linux:
    derived_from: cloudshell.linux.Device
    properties: {shared: {type: string, default: own}}
    artifacts: {driver: {file: L.zip}}
""",
    )
    assert (found.model, found.family, found.artifact) == ("Linux", "CS_ComputeServer", "L.zip")
    assert values(found)["Linux.kernel"] == "6"
    assert values(found)["Linux.shared"] == "own"


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{here}: &{here} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, here in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("metadata: {template_name: X}", "no node_types"),
        ("node_types: {vendor.X: {}}", "no metadata.template_name"),
        ("- a\n- b", "not a YAML mapping"),
        ("", "not a YAML mapping"),
        ("metadata:\n  a: b\n c: d\n", "not well-formed YAML: .* at line 3"),
        ("metadata: [unclosed", "line 1"),
        ("metadata: !!python/object/apply:os.system [true]", "could not determine a constructor"),
        ("a: \x07", "not well-formed YAML"),
        (LAUGHS, "as only a YAML bomb does"),
        ("a: &a [*a]", "as only a YAML bomb does"),
        ("[" * 5000, "nested too deep"),
        ("#" * (2**20 + 1), "larger than 1 MiB"),
        (
            "metadata: {template_name: X}\nnode_types: {vendor.A: {derived_from: vendor.B}, vendor.B: "
            "{derived_from: vendor.A}}",
            "derived from itself",
        ),
    ],
    ids=lambda value: value[:20].strip() if isinstance(value, str) else None,
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ShellError, match=reason) as caught:
        parsed(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert "shell-definition.yaml" in str(caught.value)


def test_every_standard_names_each_attribute_once() -> None:
    for base in standards._STANDARDS:
        names = [one.name for one in standards.attributes(standards.standard(base), "Model")]
        assert len(names) == len(set(names)), base
