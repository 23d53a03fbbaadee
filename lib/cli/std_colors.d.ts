/** The part of the standard library's colours that Switchyard uses; the npm package has no types. */

export function dim(text: string): string;
export function green(text: string): string;
export function red(text: string): string;
export function yellow(text: string): string;
