"""Each requirement of cmi5 (npm's ``@cmi5/requirements`` 1.0), and which test shows it; or why there is none to show.

Requirements that the list derives from one, ``9.3.0.0-4 (d1)``, are shown by the same test.
"""

SESSIONS, RULES, PACKAGES = "launching.test_sessions", "cmi5.test_rules", "courses.test_packages"
RULE = f"{RULES}::test_a_statement_that_breaks_a_rule_is_refused_with_the_requirement"
STRUCTURE = f"{PACKAGES}::test_a_structure_that_breaks_a_requirement_is_refused_with_its_id_and_the_place"
NO_PACKAGE = f"{PACKAGES}::test_what_is_no_package_is_refused"
LAUNCH = f"{SESSIONS}::test_a_launch_address_has_the_five_parameters_behind_the_publishers_own"
FETCH = f"{SESSIONS}::test_a_fetch_address_gives_its_token_once_and_says_so_with_200"
DATA = f"{SESSIONS}::test_launch_data_is_there_before_the_launch_and_says_what_the_course_says"
LAUNCHED = f"{SESSIONS}::test_the_statement_launched_says_how_it_was_launched"
SATISFIED = f"{SESSIONS}::test_blocks_and_the_course_are_satisfied_right_after_what_satisfies_them"
WAIVED = f"{SESSIONS}::test_a_waived_unit_is_satisfied_once_with_its_reason"
ABANDONED = f"{SESSIONS}::test_two_launches_of_one_registration_have_one_session_at_a_time"
TOKEN = f"{SESSIONS}::test_without_its_token_content_gets_nothing"
PREFERENCES = f"{SESSIONS}::test_preferences_that_are_none_are_refused"
STATE = f"{SESSIONS}::test_state_is_that_of_the_learner_in_the_registration"
READ_FIRST = f"{SESSIONS}::test_what_content_must_read_first_is_asked_for"
MODES = f"{SESSIONS}::test_in_browse_and_review_nothing_is_judged"
MORE = f"{SESSIONS}::test_a_platform_can_say_more_at_a_launch"
ENDED = f"{SESSIONS}::test_after_terminated_state_can_be_kept_for_a_minute"

SHOWN = {
    **dict.fromkeys(("3.0.0.0-1", "4.4.0.0-1", "4.4.0.0-2", "8.1.0.0-6"), STRUCTURE),
    **dict.fromkeys(("13.1.2.0-1", "13.1.3.0-1", "13.1.4.0-1", "13.1.4.0-2", "13.2.0.0-1", "14.1.0.0-4"), STRUCTURE),
    "13.1.5.0-2": STRUCTURE,
    **dict.fromkeys(("14.0.0.0-1", "14.1.0.0-1", "14.1.0.0-2"), NO_PACKAGE),
    "14.1.0.0-3": f"{PACKAGES}::test_a_package_becomes_a_course_with_a_number_a_version_and_its_files",
    "14.2.0.0-1": f"{PACKAGES}::test_a_structure_alone_has_no_relative_addresses",
    "13.1.0.0-1": f"{PACKAGES}::test_blanks_round_values_go_and_query_and_parameters_of_the_publisher_stay",
    "6.1.0.0-1": f"{PACKAGES}::test_a_zip64_package_is_read",
    "6.1.0.0-2": f"{PACKAGES}::test_a_structure_alone_is_a_course_of_1500_units_elsewhere",
    "6.1.0.0-3": f"{PACKAGES}::test_a_package_becomes_a_course_with_a_number_a_version_and_its_files",
    "6.0.0.0-6": f"{PACKAGES}::test_the_same_package_once_more_changes_nothing_and_another_form_is_the_next_version",
    **dict.fromkeys(("6.0.0.0-2", "6.2.0.0-1"), DATA),
    "6.0.0.0-3": LAUNCH,
    **dict.fromkeys(("6.0.0.0-4", "6.3.0.0-1"), RULE),
    "6.0.0.0-5": PREFERENCES,
    **dict.fromkeys(("7.1.1.0-1", "7.1.2.0-1", "7.1.3.0-1"), RULE),
    **dict.fromkeys(("8.1.0.0-4", "8.1.0.0-5", "8.1.0.0-8", "8.1.1.0-1", "8.1.2.0-1", "8.1.3.0-1"), LAUNCH),
    **dict.fromkeys(("8.1.4.0-1", "8.1.5.0-1", "8.1.5.0-2", "8.1.5.0-3", "8.2.1.0-1", "13.1.4.0-3"), LAUNCH),
    **dict.fromkeys(("9.2.0.0-1", "9.6.1.1-2"), LAUNCH),
    "8.1.0.0-1": DATA,
    "8.1.5.0-4": ABANDONED,
    **dict.fromkeys(("8.1.2.0-2", "8.2.1.0-6"), ENDED),
    **dict.fromkeys(("8.1.2.0-5", "8.2.1.0-5"), TOKEN),
    **dict.fromkeys(("8.1.3.0-3", "8.1.4.0-3"), STATE),
    "8.1.5.0-6": RULE,
    **dict.fromkeys(("8.2.1.0-2", "8.2.1.0-3", "8.2.1.0-4", "8.2.2.0-1", "8.2.2.0-2", "8.2.2.0-3"), FETCH),
    **dict.fromkeys(("8.2.3.0-1", "8.2.3.2-1"), FETCH),
    **dict.fromkeys(("9.1.0.0-1", "9.2.0.0-2", "9.2.0.0-3", "9.3.0.0-1", "9.3.0.0-2", "9.3.0.0-3"), RULE),
    **dict.fromkeys(("9.3.0.0-4", "9.3.0.0-5", "9.3.0.0-6", "9.3.0.0-7", "9.3.0.0-8", "9.3.2.0-3"), RULE),
    **dict.fromkeys(("9.3.4.0-2", "9.3.5.0-2", "9.3.6.0-2", "9.4.0.0-1", "9.4.0.0-2", "9.5.1.0-1"), RULE),
    **dict.fromkeys(("9.5.1.0-2", "9.5.1.0-3", "9.5.2.0-1", "9.5.2.0-2", "9.5.2.0-3", "9.5.3.0-1"), RULE),
    **dict.fromkeys(("9.5.3.0-2", "9.5.4.1-1", "9.5.4.1-2", "9.5.4.1-3", "9.5.4.1-4", "9.6.0.0-1"), RULE),
    **dict.fromkeys(("9.6.1.0-1", "9.6.2.0-1", "9.6.2.2-1", "9.6.2.2-2", "9.6.3.1-4", "9.6.3.2-2"), RULE),
    **dict.fromkeys(("9.7.0.0-1", "9.7.0.0-2", "10.2.1.0-6", "10.2.1.0-7"), RULE),
    "9.3.0.0-9": f"{SESSIONS}::test_a_batch_is_judged_in_its_order_and_stored_whole_or_not_at_all",
    "9.3.0.0-10": "catapult.test_catapult::test_a_session_is_shown_by_its_number_and_its_id_and_can_be_abandoned_once",
    **dict.fromkeys(("9.3.0.0-11", "9.3.7.0-1", "9.3.7.0-2", "9.3.7.0-3", "9.3.7.0-4", "9.5.5.2-1"), WAIVED),
    **dict.fromkeys(("9.3.1.0-1", "9.3.1.0-2"), SATISFIED),
    **dict.fromkeys(("9.3.3.0-3", "9.3.4.0-4"), f"{RULES}::test_what_satisfies_a_unit"),
    **dict.fromkeys(("9.3.6.0-1", "9.5.4.2-1", "9.5.4.2-2"), ABANDONED),
    **dict.fromkeys(("9.3.8.0-3", "9.3.8.0-4"), ENDED),
    **{f"9.3.9.0-{number}": SATISFIED for number in range(1, 10)},
    "9.6.1.1-3": f"{SESSIONS}::test_a_unit_that_needs_nothing_is_satisfied_when_somebody_registers",
    **dict.fromkeys(("9.6.2.1-1", "9.6.2.3-2", "9.6.3.1-3", "9.6.3.2-1", "9.6.3.3-1", "9.6.3.4-1"), LAUNCHED),
    **dict.fromkeys(("9.6.3.6-1", "9.6.3.7-1"), LAUNCHED),
    **dict.fromkeys(("9.6.2.3-1", "9.6.3.1-1", "9.6.3.1-2"), DATA),
    **{f"10.1.0.0-{number}": DATA for number in range(1, 6)},
    **dict.fromkeys(("10.2.1.0-1", "10.2.1.0-2", "10.2.1.0-3", "10.2.2.0-1", "10.2.2.0-4", "10.2.3.0-1"), DATA),
    **dict.fromkeys(("10.2.4.0-1", "10.2.5.0-1", "10.2.7.0-1", "10.2.7.1-1"), DATA),
    "10.2.1.0-4": READ_FIRST,
    "10.2.1.0-5": f"{SESSIONS}::test_launch_data_can_only_be_read",
    **dict.fromkeys(("10.2.2.0-2", "10.2.2.0-3", "10.2.2.0-5", "10.2.2.0-9", "10.2.2.0-11"), MODES),
    "10.2.7.2-1": MORE,
    **dict.fromkeys(("11.0.0.0-1", "11.0.0.0-4", "11.0.0.0-5", "11.1.0.0-1"), PREFERENCES),
    "11.0.0.0-3": READ_FIRST,
    "11.1.0.0-2": f"{SESSIONS}::test_preferences_are_read_and_written_as_they_must_be",
}
"""The test of each, by the name of its module."""

CONTENT = "a duty of content: what breaks it is content's own fault, and nothing that we are sent shows it"
NOT_SHOWN = {
    **dict.fromkeys(("4.1.0.0-1", "7.0.0.0-1", "7.0.0.0-2", "7.0.0.0-3", "7.0.0.0-4", "7.0.0.0-5"), CONTENT),
    **dict.fromkeys(("8.1.0.0-7", "8.1.1.0-2", "8.1.1.0-3", "8.1.2.0-3", "8.1.2.0-4", "8.1.3.0-2"), CONTENT),
    **dict.fromkeys(("8.1.4.0-2", "8.1.5.0-5", "8.2.2.0-4", "8.2.2.0-5"), CONTENT),
    **dict.fromkeys(("9.3.2.0-1", "9.3.2.0-2", "9.3.3.0-1", "9.3.3.0-2", "9.3.4.0-1", "9.3.4.0-3"), CONTENT),
    **dict.fromkeys(("9.3.5.0-1", "9.3.8.0-1", "9.3.8.0-2"), CONTENT),
    **dict.fromkeys(("10.2.2.0-6", "10.2.2.0-7", "10.2.2.0-8", "10.2.2.0-10", "10.2.4.0-2", "10.2.6.0-1"), CONTENT),
    **dict.fromkeys(("11.0.0.0-2", "11.2.0.0-1"), CONTENT),
    **dict.fromkeys(
        ("4.2.0.0-1", "4.2.0.0-2", "6.0.0.0-1"),
        "the whole LRS: ADL's conformance suites run against /xapi, and a key with the scope all/read reads everything",
    ),
    "6.3.0.0-2": "what conflicts with the rules is refused, so there is nothing that would have to be voided",
    **dict.fromkeys(
        ("8.1.0.0-2", "8.1.0.0-3"),
        "who sends the learner's browser there (a platform, LTI) opens the window; it is told the launchMethod",
    ),
    "13.1.5.0-1": (
        "elements of vendors are ignored, so a course that runs is not refused for a schema that its vendor left out"
    ),
}
"""Why there is nothing to show."""
