"""Sessions on site: who was there, and what an instructor saw them do.

**The file.** One CSV whose column ``record`` says what a row is, or one XLSX with a sheet for each record:

=============  =====================================================================================================
``session``    session_id*, title*, starts_at*, ends_at*, kind (practical, classroom, vr, placement), instructor,
               activity_id (IRI of the course the session belongs to), centre_id, status (held, scheduled, cancelled)
``roster``     session_id*, learner, attendance (present, late, left_early, excused, absent, unmarked), check_in_at,
               check_out_at, minutes
``observation``  session_id*, learner, checklist_id* (``gowning`` or ``gowning@2``), step_id*, result* (pass, fail, na),
               observer*, critical (yes, no), attempt, observed_at, second_observer, pass_percent
=============  =====================================================================================================

*learner* is at least one of uln, learner_ref, email; given_names and family_name serve only to notice people who
observe themselves. Times are local (Europe/London unless the mapping profile says otherwise) or carry an offset; a
time alone is of the session's day. Constants of the mapping profile fill empty cells (``pass_percent``, ``centre_id``).

The Jisc attendance TSV (jiscdev/xapi, 16 columns, one row per learner and event) is recognised by its headers.

**What it says.** Present and late are ``attended`` with ``completion`` true. Absent and excused are ``attended`` with
``completion`` false, as the Jisc recipe has it, so that a roster corrected later withdraws what was said; a no-show is
thus never attendance, and rules must look at ``completion`` (domain: trap 2). Who left early did not complete either.
Unmarked rows say nothing. Minutes are told for those who were there.

A checklist is ``passed`` when every critical step passed and at least ``pass_percent`` (100 unless given) of the others
that apply, else ``failed``; its instructor is the observer. All steps of one learner, session, checklist and attempt
stand or fall together: one unreadable step quarantines them all, since nobody can say what it would have been. A
learner whom the file has under two names, or who was not there as its roster says, has no checklist either.

A session whose instructor cannot be read keeps its roster, which is told without the instructor where nothing stands
yet; a session that cannot be read otherwise takes its roster along, and each row says why.
"""
