/** A day of the Gregorian calendar; months and days from 1. */
export interface Day {
  readonly year: number
  readonly month: number
  readonly day: number
}

const DAYS_OF_MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Is there such a day? */
export function isDay({ year, month, day }: Day): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month)
}

/** Days from the first of January 1970; negative before. */
export function daysSinceEpoch({ year, month, day }: Day): number {
  return daysBeforeYear(year) - daysBeforeYear(1970) + dayOfYear({ year, month, day })
}

/** The day that is so many days from the first of January 1970. */
export function dayAt(days: number): Day {
  let year = 1970 + Math.floor(days / 365.2425)
  while (daysSinceEpoch({ year, month: 1, day: 1 }) > days) year -= 1
  while (daysSinceEpoch({ year: year + 1, month: 1, day: 1 }) <= days) year += 1
  let left = days - daysSinceEpoch({ year, month: 1, day: 1 })
  let month = 1
  for (; left >= daysOfMonth(year, month); month += 1) left -= daysOfMonth(year, month)
  return { year, month, day: left + 1 }
}

/** Days since the first of January of the year. */
export function dayOfYear({ year, month, day }: Day): number {
  let days = day - 1
  for (let before = 1; before < month; before += 1) days += daysOfMonth(year, before)
  return days
}

function daysOfMonth(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (DAYS_OF_MONTHS[month - 1] ?? 0)
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}

function daysBeforeYear(year: number): number {
  const before = year - 1
  return before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400)
}
