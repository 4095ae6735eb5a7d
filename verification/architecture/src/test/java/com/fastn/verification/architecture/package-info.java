/** The walls between the parts of the project: each test says what may not be, and why. */
@NullMarked
package com.fastn.verification.architecture;

import org.jspecify.annotations.NullMarked;
