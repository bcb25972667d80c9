"""Sessions on site: who attended, and what an instructor saw them do.

**The file.** One CSV whose column ``record`` says what a row is, or one XLSX with a sheet for each record:

=============  =====================================================================================================
``session``    session_id*, title*, starts_at*, ends_at*, kind (practical, classroom, vr, placement, work_experience,
               fellowship), instructor, activity_id (IRI of the course the session belongs to), centre_id, status
               (held, scheduled, cancelled)
``roster``     session_id*, learner, attendance (present, late, left_early, excused, absent, unmarked), check_in_at,
               check_out_at, minutes, postcode_district (SG1)
``observation``  session_id*, learner, checklist_id* (``gowning`` or ``gowning@2``), step_id*, result* (pass, fail, na),
               observer*, critical (yes, no), attempt, observed_at, second_observer, pass_percent
=============  =====================================================================================================

An attempt is one, whichever version of its checklist is named. Without a version it is the one told before, if any.
*learner* is at least one of uln, learner_ref, email; given_names and family_name are kept for staff, are in no
statement, and show that somebody observes themselves. The district goes into a statement of its own,
``registered`` on the session, so that planning knows where learners live; of a whole postcode the district is kept.
An empty cell takes back what this session told of it, and a file without the column says nothing; what other sessions
told stays, and the newest of them counts.
Times are local (Europe/London unless the mapping profile says
otherwise) or have an offset; a time without a date is on the session's day. Constants of the mapping profile fill empty
cells (``pass_percent``, ``centre_id``).

The Jisc attendance TSV (jiscdev/xapi, 16 columns, one row per learner and event) is recognised by its headers.

**The statements.** Present and late are ``attended`` with ``completion`` true. Absent and excused are ``attended`` with
``completion`` false, as in the Jisc recipe, so that a roster corrected later withdraws the statement. So rules must
look at ``completion``: a no-show is no attendance. Somebody who left early did not complete either. Unmarked rows have
no statement. Minutes are given for those who were there.

A checklist is ``passed`` when every critical step passed and at least ``pass_percent`` (100 unless given) of the others
that apply, else ``failed``; its instructor is the observer. All steps of one learner, session, checklist and attempt
belong together: one unreadable step quarantines them all, because its result is not known. A learner whom the file has
under two names, or who was not there by its roster, gets no checklist either.

If only the instructor of a session cannot be read, its roster is stored without the instructor where nothing is stored
yet. If a session cannot be read for another reason, the rows of its roster are refused with that reason.
"""
