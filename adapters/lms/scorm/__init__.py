"""SCORM 1.2 packages: their ``imsmanifest.xml``, the player that runs them, and the xAPI that follows.

The run-time interface that content calls is ``scorm-again`` (npm), which the operator installs; nothing of it is here.
What it commits becomes statements and State by the SCORM profile of xAPI (https://w3id.org/xapi/scorm).
"""
