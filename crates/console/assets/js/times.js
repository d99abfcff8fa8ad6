// Times as people say them: "3 minutes ago". The exact time is the element's title, in the reader's own zone.

const UNITS = [["year", 31536000], ["month", 2628000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

/** The largest unit that a span fills once it is rounded to the next smaller one; none below a minute. */
function unitOf(span) {
  return UNITS.slice(0, -1).find(([, length], index) => {
    const [, smaller] = UNITS[index + 1];
    return Math.round(span / smaller) * smaller >= length;
  });
}

/** How long it is until then: days and hours, below a day to the second. */
function left(seconds) {
  if (seconds <= 0) return "over";
  const [days, rest] = [Math.floor(seconds / 86400), Math.floor(seconds % 86400)];
  if (days > 0) return `${days} d ${Math.floor(rest / 3600)} h left`;
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(rest / 3600)}:${two(Math.floor((rest % 3600) / 60))}:${two(rest % 60)} left`;
}

function say(time, now) {
  const moment = Date.parse(time.dateTime);
  if (Number.isNaN(moment)) return;
  const seconds = (moment - now) / 1000;
  const unit = unitOf(Math.abs(seconds));
  const text = "countdown" in time.dataset ? left(seconds) : unit ? words.format(Math.round(seconds / unit[1]), unit[0]) : seconds > 10 ? "in less than a minute" : "just now";
  if (time.textContent !== text) time.textContent = text;
  const title = exact.format(moment);
  if (time.title !== title) time.title = title;
}

/** Says the times in a part of the page anew. A `<time data-exact>` stays as it is. */
export function sayTimes(root = document, which = "time[datetime]:not([data-exact])") {
  const now = Date.now();
  for (const time of root.querySelectorAll(which)) say(time, now);
}

export function start() {
  sayTimes();
  setInterval(sayTimes, 20000);
  setInterval(() => sayTimes(document, "time[data-countdown]"), 1000);
}
