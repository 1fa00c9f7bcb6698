"""Events of the platform itself."""

from datetime import datetime

from cloudspend.alerts.catalog.event_type import EventDetails


class TestAlert(EventDetails, frozen=True, kw_only=True):
    """An operator tests whether alerts arrive."""

    # The name begins with Test, but it is not a test class.
    __test__ = False

    severity = None
    title = "test alert; nothing has happened"
    sentence = (
        "Alerts of {name} ({id}) arrive. {sender} sent this test, which took the path of every "
        "alert. Nothing has happened."
    )
    actions = ("See who is subscribed: cloudspend alerts list.",)
    sender: str
    sent_at: datetime
