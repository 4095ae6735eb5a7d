/**
 * The {@code fastn} command.
 *
 * <p>A tour: {@link com.fastn.status.cli.Fastn} is the program, {@code StatusCommand} the subcommand. {@code NodeFinder}
 * finds the nodes of this machine by their descriptors, {@code StatusPorts} asks them over HTTP, {@code Inquiry} decides
 * whom to ask for what, and {@code StatusCommand} draws the answers with the renderers that the nodes use themselves.
 */
@NullMarked
package com.fastn.status.cli;

import org.jspecify.annotations.NullMarked;
