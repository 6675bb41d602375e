import Files

/// A line of the run, on standard output.
package func say(_ text: String) { Console.say(text) }

/// Something that the run survives, on standard error.
func warn(_ text: String) { Console.complain("warning: \(text)") }
