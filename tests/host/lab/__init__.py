"""Real machines for tests, on one machine: nspawn boxes with systemd as process 1.

A **box** starts in half a second from a cached bare Debian 12 (made once, 30 s, under
``/var/tmp/matinee-lab``), in a user namespace, on the bridge of a **network**::

    from tests.host.lab import Network, debian

    with Network() as net:
        net.open()                                # a way out, to the registries
        box = net.add("matinee", debian()).start()
        box.run("apt-get update; apt-get install -y nginx")   # a line of shell
        box.run("systemctl", "status", "nginx", check=False)  # or a list; .stdout …
        net.run("curl", f"http://{box.address}/")               # from the bridge
        port = net.forward(box, 80)               # 127.0.0.1:port on this machine
        net.close()                               # air gap
        box.stop(hard=True); box.start()          # pull the plug, boot again
        layers = net.layers_of(box)               # shut down; new boxes start from it
        net.add("second", layers).start()
    assert net.remains() == []

Boxes know one another by their names and as NAME.test. Further: ``box.ask`` (a document
of ``--json``), ``box.begin`` (do not wait), ``box.write/read`` (files, up or down),
``box.cut/mend`` (the cable), ``box.freeze``, ``box.small_disk``, ``box.restart``;
``seat.take(net, bundle).play(…)`` runs a playbook over ssh as an operator does,
``seat.ssh`` a line of shell.

Fixtures (``tests/host/conftest.py``): ``net`` (one a test run, with a way out),
``box(name="matinee")`` (makes started bare boxes, taken away after the test),
``bundle`` (the signed release of this tree, cached by a hash of it), ``appliance``
(a box on which the bundle's ``install.sh`` ran once, started anew for each test).

What a box is **not**: MemoryMax, TasksMax, CPUQuota and IPAddressDeny are accepted and
not enforced there, Nice and OOMScoreAdjust below 0 are ignored; nobody can set a clock,
and no test may try to. Teardown leaves nothing (``remains``); what a killed run left is
cleared away by the next (``clear_dead_runs``).
"""

from tests.host.lab.box import Box
from tests.host.lab.needs import missing
from tests.host.lab.network import Network
from tests.host.lab.programs import Done, Failed
from tests.host.lab.remains import clear_dead_runs
from tests.host.lab.trees import debian

__all__ = ["Box", "Done", "Failed", "Network", "clear_dead_runs", "debian", "missing"]
