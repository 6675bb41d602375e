import Glibc

/// What standard output is.
enum Terminal {
    /// Columns of the terminal that standard output shows on, or nil when it goes to a file or pipe. Launchers such as
    /// mpirun give each rank a pseudo-terminal in any case, but of zero columns unless they have a terminal themselves.
    static var columns: Int? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        if let kind = getenv("TERM"), strcmp(kind, "dumb") == 0 { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
