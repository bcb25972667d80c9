// ical.js on one calendar. In (stdin): {calendar: text}; out: {name, events: [{uid, summary, location, starts, ends, status}]}.
import ICAL from 'ical.js';
import {readFileSync} from 'node:fs';

const {calendar} = JSON.parse(readFileSync(0, 'utf8'));
const read = new ICAL.Component(ICAL.parse(calendar));
const events = read.getAllSubcomponents('vevent').map(one => {
  const event = new ICAL.Event(one);
  return {
    uid: event.uid,
    summary: event.summary,
    location: event.location,
    starts: event.startDate.toJSDate().toISOString(),
    ends: event.endDate.toJSDate().toISOString(),
    status: one.getFirstPropertyValue('status'),
  };
});
console.log(JSON.stringify({name: read.getFirstPropertyValue('x-wr-calname'), events}));
