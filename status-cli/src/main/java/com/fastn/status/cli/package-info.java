/**
 * The {@code fastn} command.
 *
 * <p>A tour: {@link com.fastn.status.cli.Fastn} is the program, each {@code ..Command} a command of it, loaded only when it is
 * meant. {@code NodeFinder} finds the nodes of this machine by their descriptors, {@code Config} those that the user wrote
 * down; {@code Targets} decides who is meant. {@code StatusPorts} asks by {@code Exchange}, once or as a stream; {@code Inquiry} puts one
 * look together, {@code Feed}, {@code Sources} and {@code Watch} follow. {@code TreeShape} chooses what is shown; the renderers are those that
 * the nodes use themselves. {@code LiveScreen} shows one picture after another, {@code TopView} and {@code Keyboard} let a person
 * move in a tree. Only {@code ConfigFile} knows TOML and only {@code Keyboard} knows jline, so that one look loads neither.
 */
@NullMarked
package com.fastn.status.cli;

import org.jspecify.annotations.NullMarked;
