"""What people did, in words, for the record of actions. The code of an action stands beneath it, and in files. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from lrs.access import OPERATOR, OWN_SOURCE
from lrs.tenancy.audit import BY_COMMAND

ACTIONS: Mapping[str, str] = {
    "audit.sealed": "The record of actions was sealed",
    "badge-key.compromised": "A key for badges was given up as stolen",
    "badge-key.made": "A key for badges was made",
    "badge-key.rotated": "The key for badges was changed",
    "badge.endorsed": "An endorsement was added to a badge",
    "badge.endorsement_removed": "An endorsement was taken out of a badge",
    "badge.certificates_void": "The codes of the certificates of a badge were made void",
    "badge.image_removed": "The picture of a badge was removed",
    "badge.image_set": "A badge got another picture",
    "badge.issued": "A badge was issued",
    "badge.link_made": "A link to get a badge was made",
    "badge.name_put_in": "A learner put their name into a badge",
    "badge.name_taken_out": "A learner took their name out of a badge",
    "badge.resumed": "A badge counts again",
    "badge.revoked": "A badge was revoked",
    "badge.revoked_by_hand": "A badge was revoked by hand",
    "badge.shared": "A learner shared a badge by a link",
    "badge.superseded": "A badge was replaced by a newer one",
    "badge.suspended": "A badge was suspended",
    "badge.suspended_by_hand": "A badge was suspended by hand",
    "badge.taken_back_from_wallet": "A learner took a badge back from a wallet",
    "badge.unshared": "A learner stopped sharing a badge",
    "badge.words_renewed": "The words of a badge were taken from the framework again",
    "badge.words_written": "The words of a badge were changed",
    "checklist.changed": "A checklist was changed",
    "consent.asked": "A learner was asked to show a service something",
    "consent.given": "A learner agreed to show a service something",
    "consent.guardian-agreed": "A parent or guardian agreed",
    "consent.guardian-asked": "A parent or guardian was asked",
    "consent.guardian-refused": "A parent or guardian refused",
    "consent.taken-back": "A consent that waited was taken back",
    "consent.withdrawn": "A consent was withdrawn",
    "course-client.closed": "A course program was shut out",
    "course-client.made": "A course program was let in",
    "course.catalogue": "A course was put into the catalogue or taken out of it",
    "course.imported": "A course was imported",
    "course.open": "Learners were let to open a course by themselves, or no longer",
    "course.opened-for": "A course was opened for a learner who was chosen",
    "course.taken-back": "A course was taken back from a learner for whom it was open",
    "course.withdrawn": "A course was taken out of use",
    "delivery.discarded": "A message was discarded",
    "delivery.resent": "A message was sent again",
    "demand.imported": "A table of demand was brought in",
    "destination.added": "A place to send to was added",
    "destination.paused": "Sending to a place was paused",
    "destination.removed": "A place to send to was removed",
    "destination.resumed": "Sending to a place goes on",
    "employee.asked": "An employer asked somebody to show their skills",
    "event-code.ended": "A code of an event was ended",
    "event-code.made": "A code of an event was made",
    "framework.published": "A framework was published",
    "identity-authority.marked": "A source was trusted to say who is one person",
    "import.begun": "A file was brought in",
    "import.checked": "A file was checked",
    "issuer.distrusted": "An issuer of badges from elsewhere is trusted no more",
    "issuer.named": "The issuer of badges was named",
    "issuer.trusted": "An issuer of badges from elsewhere was trusted",
    "key.created": "An API key was made",
    "key.revoked": "An API key was revoked",
    "learner.account": "The sign-in of a learner was changed",
    "learner.account-closed": "The sign-in of a learner was closed",
    "learner.invited": "A learner was invited to sign in",
    "learner.route": "How a learner came into the programme was noted",
    "learner.route-deleted": "What was noted of how a learner came into the programme was deleted",
    "lti-deployment.accepted": "A further use of a learning platform was let in",
    "lti-key.rotated": "The key for learning platforms was changed",
    "lti-platform.added": "A learning platform was added",
    "lti-platform.invited": "A learning platform was invited",
    "lti-platform.uninvited": "The invitation of a learning platform was withdrawn",
    "lti-platform.removed": "A learning platform was removed",
    "lti-platform.results": "What a learning platform is told of results was changed",
    "lti.launch-refused": "A launch from a learning platform was refused",
    "mapping-profile.removed": "Saved columns were removed",
    "mapping-profile.saved": "Columns were saved",
    "master-key.changed": "The master key was changed",
    "nobody-names.set": "The names that stand for nobody were set",
    "occupations.imported": "A table of occupations was brought in",
    "offering.changed": "An offering of the catalogue was changed",
    "offering.removed": "An offering was taken out of the catalogue",
    "oidc-provider.removed": "A sign-in provider was removed",
    "oidc-provider.set": "A sign-in provider was set up",
    "operator-key.created": "A key of an operator was made",
    "operator-key.revoked": "A key of an operator was revoked",
    "outcome.corrected": "A service corrected what became of a learner",
    "outcome.told": "A service told what became of a learner",
    "outcome.withdrawn": "What a service told of a learner was taken back",
    "own-data.taken": "A learner took a copy of all their data",
    "person.name-confirmed": "Staff confirmed a learner's name",
    "person.name-withdrawn": "A confirmed name was taken back",
    "person.of-age": "The note that a learner is under age was taken back",
    "person.under-age": "A learner was noted as under age",
    "persons.joined": "Two learners were joined by what a source said",
    "persons.merged": "Two learners were joined by hand",
    "persons.unmerged": "Two learners were taken apart",
    "plan-feed.made": "A learner made an address for the calendar of their plan",
    "planning.counted": "The figures of planning were counted anew",
    "planning.smallest": "The smallest figure that planning shows was changed",
    "prior-badge.evidence": "A badge from elsewhere was taken as evidence",
    "prior-badge.removed": "A badge from elsewhere was removed",
    "prior-badge.kept": "A badge from elsewhere was kept without effect",
    "quarantine.replayed": "Statements in quarantine were stored",
    "question.answered": "A question was answered",
    "question.asked": "A learner asked something",
    "regions.imported": "A table of regions was brought in",
    "rules.applied": "Rules were put in force",
    "rules.looked-at": "What rules would change was looked at",
    "seat.booked": "A seat was booked",
    "seat.given-back": "A seat was given back",
    "seat.waiting": "Somebody was put on a waiting list",
    "service.active": "A service was let in again",
    "service.added": "A service was added",
    "service.removed": "A service was removed",
    "service.resynced": "A service is told everything anew",
    "service.rotated": "The secrets of a service were changed",
    "service.set": "A service was changed",
    "service.suspended": "A service was shut out",
    "service.tested": "A test message was sent to a service",
    "session.changed": "A training session was changed",
    "session.cancelled": "A training session was cancelled",
    "session.closed": "A training session was closed",
    "session.ended": "Somebody signed out, or was signed out",
    "session.made": "A training session was made",
    "session.opened": "Somebody signed in",
    "session.sign-off-asked": "A supervisor was asked to sign",
    "session.signed-off": "A supervisor signed",
    "skills.declared": "A learner said what they can do from a former occupation",
    "skills.undeclared": "A learner took back what they said they can do",
    "source.named": "The shown name of a source was changed",
    "source.switched": "A switch of a source was changed",
    "staff.disabled": "A member of staff was disabled",
    "staff.enabled": "A member of staff was enabled again",
    "staff.invited": "A member of staff was invited",
    "staff.let-in": "A member of staff came in",
    "staff.password": "A password was set",
    "staff.recovery": "A link for a new password was made",
    "staff.recovery-code": "A recovery code was used",
    "staff.roles": "The roles of a member of staff were changed",
    "staff.withdrawn": "An invitation of a member of staff was withdrawn",
    "staff.sign-in-link": "A link to sign in once was made",
    "staff.second-factor": "A second factor was changed",
    "standard.changed": "The record of an apprenticeship standard was brought in",
    "statement.corrected": "A result was corrected",
    "store.restored": "A backup was restored",
    "suggestion.brought-back": "The question whether two learners are one was asked again",
    "suggestion.dismissed": "Two learners were kept apart",
    "tenant.administrator-invited": "The administrator of an organisation was invited",
    "tenant.closing": "An organisation is to be deleted",
    "tenant.created": "An organisation was made",
    "tenant.deleted": "An organisation was deleted",
    "tenant.open": "An organisation was opened again",
    "tenant.resumed": "An organisation was opened again",
    "tenant.set": "What the organisation has decided was changed",
    "tenant.suspended": "An organisation was closed for now",
    "launch.ended": "What a learner had open of a course was ended: they left it",
    "unit.launched": "Staff opened a part of a course for a learner",
    "unit.waived": "A part of a course was waived",
    "work.retried": "Work was tried again",
}


JOINED_HERE = "The server joined a further account of a learner to them"
"""What is said of a merging that no people decided: somebody opened a course, or came by another of their accounts."""
_MERGED, _SERVER = "persons.merged", (OWN_SOURCE, "lti")


COMMAND = "Operator, by a command"
"""What is said of whoever operates the server, and was not signed in to its pages."""
_COMMANDS = {BY_COMMAND, "command line"}
"""How entries name them: of this version, and of some commands before it."""


AN_OPERATOR = "Operator"
"""What is said of an operator whom an organisation does not know, and of a program with a key of one."""


def doer_said(by: str) -> str:
    """Who did something, if it is no member of staff: in words for an operator, otherwise as the entry names it."""
    if by in _COMMANDS:
        return COMMAND
    return AN_OPERATOR if is_operator(by) else by


def is_operator(by: str) -> bool:
    """Whether an entry is of an operator who was signed in, or of a key of operators."""
    return by.startswith(f"{OPERATOR} ")


def action_said(action: str, by: str) -> str:
    """The *action* of *by* in words; one that is not in the list by the words of its code."""
    if action == _MERGED and by.partition(" ")[0] in _SERVER:
        return JOINED_HERE
    return ACTIONS.get(action) or action.replace(".", ": ", 1).replace("-", " ").replace("_", " ").capitalize()
