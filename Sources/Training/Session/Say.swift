import Foundation

/// Prints a line at once, also into a pipe: launchers and logs are read live.
package func say(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
}
