"""Working processes that are killed."""

from cases import MultiprocessCase, start_simulator
from figures import noted
from reseller import create_contacts, sent_by
from workers import press_fetch

CUSTOMERS = 4


def setUpModule():
    global simulator
    simulator = start_simulator(customers=CUSTOMERS, months=1, lines=20)
    create_contacts(simulator.customers)


class TestKilled(MultiprocessCase):
    def test_a_kill(self):
        reseller = self.make_reseller(simulator, "draft", overlap_days=0)
        task = press_fetch(reseller.connection_ids[0])
        with noted("worker killed") as figures:
            self.workers.kill(task, die_after=4)
            self.workers.run_together(task)
            reseller.let_half_an_hour_pass()
            self.assertGoodBooks(reseller, sent_by(simulator))
            figures["times"] = 1
