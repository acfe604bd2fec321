export const EXIT_FAILED = 1;
/** The command line or the configuration is wrong: trying again without a change is of no use. */
export const EXIT_USAGE = 2;
