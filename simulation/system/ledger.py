"""Money: accounts in whole pence, and the rule that every penny is somewhere.

Each police force area has the same accounts. Money only ever moves from one to another, so that what all accounts of
an area hold together is nothing, always; and what a company was paid and has spent is also booked by heading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import Column, Table
from simulation.system.service import Service

if TYPE_CHECKING:
    Array = NDArray[Any]

#: Accounts of an area: who pays, who supervises, prisons, who bears a failed company's losses, and what is spent.
ACCOUNTS = ("ministry", "company", "nps", "prisons", "owner", "spent")
#: What a company is paid for, and what it pays out.
INCOME = ("crc_income_volume", "crc_income_adjustment", "crc_income_tasks", "crc_income_results", "crc_step_in")
COSTS = ("crc_costs",)
HEADINGS = (*INCOME, *COSTS, "crc_written_off")


def accounts_table(areas: int) -> Table:
    """Return the table of accounts: area x number of accounts + account."""
    table = Table(
        "accounts",
        [
            Column("paid_in", "int64", "pence", "Paid in since the start."),
            Column("paid_out", "int64", "pence", "Paid out since the start."),
            Column("balance", "int64", "pence", "What the account holds; the Ministry's is below nothing."),
        ],
        areas * len(ACCOUNTS),
    )
    table.add(areas * len(ACCOUNTS))
    return table


def headings_table(areas: int) -> Table:
    """Return the table of what companies were paid and have spent, by heading, since the start."""
    table = Table("headings", [Column(name, "int64", "pence", "Since the start.") for name in HEADINGS], areas)
    table.add(areas)
    return table


class Ledger:
    """Accounts of every area.

    Parameters
    ----------
    service : Service
        Whose tables they become.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.accounts = service.table("accounts", accounts_table(service.areas))
        self.headings = service.table("headings", headings_table(service.areas))

    def move(self, payer: str, payee: str, areas: Array, pence: Array) -> None:
        """Move money from one account to another, in each of some areas."""
        accounts = self.accounts
        for name, column, sign in ((payer, accounts.paid_out, -1), (payee, accounts.paid_in, 1)):
            rows = areas * len(ACCOUNTS) + ACCOUNTS.index(name)
            column[rows] += pence
            accounts.balance[rows] += sign * pence

    def pay(self, heading: str, areas: Array, pence: Array) -> None:
        """Pay companies for something."""
        self.move("ministry", "company", areas, pence)
        getattr(self.headings, heading)[areas] += pence
        self.service.count_codes(heading, areas * 2 + 1, pence)

    def spend(self, areas: Array, pence: Array) -> None:
        """Let companies spend."""
        self.move("company", "spent", areas, pence)
        self.headings.crc_costs[areas] += pence
        self.service.count_codes("crc_costs", areas * 2 + 1, pence)

    def run(self, account: str, heading: str, areas: Array, pence: Array) -> None:
        """Let the Ministry pay for what a public service spends."""
        self.move("ministry", account, areas, pence)
        self.move(account, "spent", areas, pence)
        self.service.count_codes(heading, areas * 2, pence)

    def write_off(self, areas: Array) -> None:
        """Let the owners of failed companies bear what these are short of, or take what is left."""
        balance = self.balance("company")[areas]
        self.move("owner", "company", areas, np.maximum(-balance, 0))
        self.move("company", "owner", areas, np.maximum(balance, 0))
        self.headings.crc_written_off[areas] += -balance

    def balance(self, account: str) -> NDArray[np.int64]:
        """Return what each area's account holds."""
        return np.asarray(self.accounts.balance[ACCOUNTS.index(account) : self.accounts.size : len(ACCOUNTS)])

    def broken(self) -> NDArray[np.intp]:
        """Return areas in whose accounts a penny is missing, or one too many."""
        accounts, headings = self.accounts, self.headings
        size = accounts.size
        wrong = accounts.balance[:size] != accounts.paid_in[:size] - accounts.paid_out[:size]
        by_area = wrong.reshape(-1, len(ACCOUNTS)).any(axis=1)
        by_area |= accounts.balance[:size].reshape(-1, len(ACCOUNTS)).sum(axis=1) != 0
        # The company's account against its own books.
        booked = sum(getattr(headings, name)[: headings.size] for name in INCOME) + headings.crc_written_off
        booked = booked - headings.crc_costs[: headings.size]
        return np.flatnonzero(by_area | (booked != self.balance("company")))
