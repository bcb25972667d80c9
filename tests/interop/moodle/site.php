<?php
// What tests/interop/test_moodle_live.py has a Moodle do that is installed: php site.php FOLDER COMMAND JSON. Prints JSON.
define('CLI_SCRIPT', true);
require($argv[1] . '/config.php');
require_once($CFG->dirroot . '/course/modlib.php');
require_once($CFG->dirroot . '/user/lib.php');
require_once($CFG->libdir . '/gradelib.php');
\core\session\manager::set_user(get_admin());
$given = json_decode($argv[3] ?? '{}');
$commands = ['prepare', 'add', 'grades', 'logstore', 'failed', 'learning_plan', 'graded'];
if (!in_array($argv[2], $commands)) {
    exit(2);
}
echo json_encode($argv[2]($given));

/** A new course with a teacher and a learner; the admin's password is set; calls to this machine are allowed. */
function prepare($given) {
    global $CFG, $DB;
    set_config('curlsecurityblockedhosts', '');
    set_config('curlsecurityallowedport', '');
    update_internal_user_password(get_admin(), $given->password);
    $names = ['fullname' => 'Gowning', 'shortname' => $given->run, 'category' => 1];
    $course = create_course((object)$names);
    $enrol = enrol_get_plugin('manual');
    $instance = $DB->get_record('enrol', ['courseid' => $course->id, 'enrol' => 'manual']);
    $made = [];
    foreach (['learner' => 'student', 'teacher' => 'editingteacher'] as $who => $role) {
        $name = $who . $given->run;
        $made[$who] = user_create_user((object)['username' => $name, 'password' => $given->password,
            'firstname' => $who, 'lastname' => 'Interop', 'email' => "$name@example.org", 'idnumber' => "N-$name",
            'confirmed' => 1, 'auth' => 'manual', 'mnethostid' => $CFG->mnet_localhost_id]);
        $enrol->enrol_user($instance, $made[$who], $DB->get_field('role', 'id', ['shortname' => $role]));
    }
    $plugins = array_keys(core_component::get_plugin_list('logstore') + core_component::get_plugin_list('tool'));
    return $made + ['course' => (int)$course->id, 'address' => $CFG->wwwroot, 'admin' => get_admin()->username,
        'release' => $CFG->release, 'plugins' => array_values(array_intersect($plugins, ['xapi', 'lptmanager']))];
}

/** Activities from what deep linking returned, as the form of Moodle would save them. */
function add($given) {
    global $DB;
    $course = get_course($given->course);
    $made = [];
    foreach ($given->items as $item) {
        [, , , , $data] = prepare_new_moduleinfo_data($course, 'lti', 1);
        foreach ((array)$item as $name => $value) {
            $data->$name = $value;
        }
        $data->introeditor = (array)$item->introeditor + ['itemid' => 0];
        $data->typeid = $given->type;
        $data->grade = 100;
        $made[] = (int)add_moduleinfo($data, $course)->coursemodule;
    }
    return $made;
}

/** The grades of a course: name of the column, user, points. */
function grades($given) {
    global $DB;
    $sql = "SELECT gg.id, gi.itemname, gg.userid, gg.rawgrade FROM {grade_items} gi
              JOIN {grade_grades} gg ON gg.itemid = gi.id WHERE gi.courseid = ? AND gi.itemtype = 'mod'";
    return array_map(fn($one) => [$one->itemname, (int)$one->userid, $one->rawgrade === null ? null : (float)$one->rawgrade],
        array_values($DB->get_records_sql($sql, [$given->course])));
}

/** Has the log store send to an endpoint. */
function logstore($given) {
    foreach ((array)$given + ['backgroundmode' => 1, 'maxbatchsize' => 30, 'resendfailedbatches' => 1] as $name => $value) {
        set_config($name, $value, 'logstore_xapi');
    }
    set_config('enabled_stores', 'logstore_standard,logstore_xapi', 'tool_log');
    return true;
}

/** The events that failed, moved back so that they are sent again. */
function failed($given) {
    global $DB;
    $ids = array_keys($DB->get_records('logstore_xapi_failed_log'));
    return $ids ? [count($ids), (new \logstore_xapi\log\moveback($ids, false))->execute()] : [0, true];
}

/** A framework, a competency, and a learning plan of the learner with it; and the plugin that polls. */
function learning_plan($given) {
    global $DB;
    foreach (['lrs_endpoint', 'lrs_api_key', 'lrs_api_secret'] as $name) {
        set_config($name, $given->$name, 'tool_lptmanager');
    }
    set_config('enable_lrs_sync', 1, 'tool_lptmanager');
    set_config('lrs_sync_frameworks', '', 'tool_lptmanager');
    $scale = $DB->get_record_sql('SELECT * FROM {scale} ORDER BY id DESC', null, IGNORE_MULTIPLE);
    $best = count(explode(',', $scale->scale));
    $config = json_encode([['scaleid' => (string)$scale->id], ['id' => $best, 'scaledefault' => 1, 'proficient' => 1]]);
    $framework = \core_competency\api::create_framework((object)['shortname' => $given->run, 'idnumber' => $given->framework,
        'scaleid' => $scale->id, 'scaleconfiguration' => $config, 'description' => '', 'descriptionformat' => 1,
        'visible' => 1, 'contextid' => context_system::instance()->id,
        'taxonomies' => 'competency,competency,competency,competency']);
    $competency = \core_competency\api::create_competency((object)['shortname' => 'Gowning', 'idnumber' => $given->code,
        'competencyframeworkid' => $framework->get('id'), 'description' => '', 'descriptionformat' => 1]);
    $plan = \core_competency\api::create_plan((object)['name' => 'Plan', 'userid' => $given->learner, 'description' => '',
        'descriptionformat' => 1, 'status' => \core_competency\plan::STATUS_ACTIVE]);
    \core_competency\api::add_competency_to_plan($plan->get('id'), $competency->get('id'));
    return true;
}

/** Whether the learner is proficient in what the plan asks for. */
function graded($given) {
    global $DB;
    return array_map('boolval', array_values($DB->get_records_menu('competency_usercomp', ['userid' => $given->learner],
        '', 'id, proficiency')));
}
