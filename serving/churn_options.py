"""What it means to leave, as the options of the verbs that train and test."""

from typing import Annotated

import typer

Churn = Annotated[str, typer.Option(help="inactivity, subscription, interaction or own_pace.")]
Gap = Annotated[int, typer.Option(min=0, max=3650, help="Days before the days asked about.")]
Grace = Annotated[int, typer.Option(min=0, max=3650, help="Days to renew a subscription in.")]
ActiveDays = Annotated[int, typer.Option(min=0, max=3650, help="Who can leave; 0: by the kind.")]
NewcomerDays = Annotated[int, typer.Option(min=0, max=3650, help="Not asked about if younger.")]
