export const EXIT_FAILED = 1;
/** The command line or the configuration is wrong: the same command fails again until one of them is changed. */
export const EXIT_USAGE = 2;
